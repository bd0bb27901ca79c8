"""What is known of a group beforehand: which response is best, or whether the only one is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group

BEST, RATINGS, CORRECT = "best", "ratings", "correct"
LABELS = (BEST, RATINGS, CORRECT)
"""Names in a group's metadata that say its label."""


def label_of(group: Group) -> int:
    """The label of ``group``, as its metadata says.

    Of N >= 2 responses it is the index of the single best one: ``best`` (from 0 on; the reader sets
    it for ``chosen`` and ``rejected``), or the place of the maximum of ``ratings``, N numbers. Of
    one response it is ``correct``, 0 or 1.

    Raises:
        InputError: there is no label, it is of a wrong type or out of range, there are two that
            differ, two maxima, or the best response is there twice.

    >>> label_of(Group.of("2 + 2?", ["4", "5"], metadata={"ratings": [0.9, 0.1]}))
    0
    """
    n = len(group.responses)
    given = {name: group.metadata[name] for name in LABELS if group.metadata.get(name) is not None}
    if n == 1:
        return _correct(given)
    label = _best(given, n)
    if group.responses.count(group.responses[label]) > 1:
        raise refused((BEST,), "a best response that is there once", group.responses[label])
    return label


def _correct(given: Mapping[str, Any]) -> int:
    if CORRECT not in given:
        told = f"only {', '.join(given)}" if given else "no label"
        raise InputError(f"expected correct, 0 or 1, of a single response, got {told}")
    label = given[CORRECT]
    if isinstance(label, str) or label not in (0, 1):
        raise refused((CORRECT,), "0 or 1", label)
    return int(label)


def _best(given: Mapping[str, Any], n: int) -> int:
    if CORRECT in given:
        raise InputError(
            f"correct: expected best or ratings of {n} responses (correct is for one alone), got "
            f"{quoted(given[CORRECT])}"
        )
    read = {BEST: _index, RATINGS: _highest}
    found = [read[name](given[name], n) for name in given]
    if not found:
        raise InputError(f"expected best or ratings of {n} responses, got no label")
    if len(set(found)) > 1:
        raise InputError(
            f"best: expected {found[1]}, where ratings has its maximum, got {found[0]}"
        )
    return found[0]


def _index(value: Any, n: int) -> int:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    if not whole or not 0 <= value < n:
        raise refused((BEST,), f"the index of one of {n} responses, 0 to {n - 1}", value)
    return int(value)


def _highest(values: Any, n: int) -> int:
    if not isinstance(values, list | tuple) or len(values) != n:
        raise refused((RATINGS,), f"{n} numbers, one for each response", values)
    for place, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise refused((RATINGS, place), "a number", value)
    if values.count(max(values)) > 1:
        raise refused((RATINGS,), "one maximum (which response is the best?), got two", values)
    return int(values.index(max(values)))
