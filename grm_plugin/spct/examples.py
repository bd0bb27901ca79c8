"""Labelled groups, and when a judgment of one is right. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group

BEST, RATINGS, CORRECT = "best", "ratings", "correct"
LABELS = (BEST, RATINGS, CORRECT)
"""Names in a group's metadata that say its label."""
_BESIDE = ("subset", "source")


@dataclass(frozen=True, slots=True)
class Datum:
    """A group and what is known of it.

    Args:
        group: what a judge is asked.
        label: of N >= 2 responses the index of the single best one; of one response 1 where it is
            right and 0 where it is not.
    """

    group: Group
    label: int


def correct(scores_N: Sequence[float | None], label: int) -> bool:
    """Whether a judgment is right (eq. 10 of arXiv:2504.02495).

    Of N >= 2 responses the labelled best one must score above every other; the order of the others
    does not count. Of one response the score must be its label, 0 or 1. A response without a score
    was not shown, being the copy of another; where no two were shown nothing is right.

    >>> correct((8, 5, 7), 0), correct((8, 8, 7), 0), correct((1,), 1)
    (True, False, True)
    """
    if len(scores_N) == 1:
        return scores_N[0] == label
    best = scores_N[label]
    others = [score for n, score in enumerate(scores_N) if n != label and score is not None]
    return best is not None and bool(others) and all(best > score for score in others)


def datum_of(group: Group) -> Datum:
    """What the metadata of ``group`` says of it.

    Of N >= 2 responses it is ``best``, the index of one from 0 on (the reader sets it for a pair of
    ``chosen`` and ``rejected``), or ``ratings``, N numbers with one maximum. Of one response it is
    ``correct``, 0 or 1.

    Raises:
        InputError: there is no label, it is of a wrong type or out of range, there are two that
            differ, two maxima, or the best response is there twice.

    >>> datum_of(Group.of("2 + 2?", ["4", "5"], metadata={"ratings": [0.9, 0.1]})).label
    0
    """
    n = len(group.responses)
    given = {name: group.metadata[name] for name in LABELS if group.metadata.get(name) is not None}
    if n == 1:
        return Datum(group, _correct(given))
    label = _best(given, n)
    if group.responses.count(group.responses[label]) > 1:
        raise refused((BEST,), "a best response that is there once", group.responses[label])
    return Datum(group, label)


def _correct(given: Mapping[str, Any]) -> int:
    if CORRECT not in given:
        told = f"only {', '.join(given)}" if given else "no label"
        raise InputError(f"expected correct, 0 or 1, of a single response, got {told}")
    label = given[CORRECT]
    if label not in (0, 1) or isinstance(label, str):
        raise refused((CORRECT,), "0 or 1", label)
    return int(label)


def _best(given: Mapping[str, Any], n: int) -> int:
    if CORRECT in given:
        raise InputError(
            f"correct: expected best or ratings of {n} responses (correct is for one alone), got "
            f"{quoted(given[CORRECT])}"
        )
    found = []
    if BEST in given:
        found.append(_index(given[BEST], n))
    if RATINGS in given:
        found.append(_highest(given[RATINGS], n))
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
    """The index of the single maximum of N ratings."""
    if not isinstance(values, list | tuple) or len(values) != n:
        raise refused((RATINGS,), f"{n} numbers, one for each response", values)
    for place, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise refused((RATINGS, place), "a number", value)
    if values.count(max(values)) > 1:
        raise refused((RATINGS,), "one maximum (which response is the best?), got two", values)
    return values.index(max(values))


def row_of(datum: Datum) -> dict[str, Any]:
    """``datum`` as a row of RM data; the inverse of reading it.

    >>> row_of(Datum(Group.of("2 + 2?", ["4", "5"], id="sum"), 0))
    {'id': 'sum', 'prompt': '2 + 2?', 'responses': ['4', '5'], 'best': 0}
    """
    group, turns = datum.group, datum.group.conversation
    plain = len(turns) == 1 and turns[0].role == "user"
    row: dict[str, Any] = {
        "id": group.id or None,
        "prompt": turns[0].content
        if plain
        else [{"role": turn.role, "content": turn.content} for turn in turns],
        "responses": list(group.responses),
        (CORRECT if len(group.responses) == 1 else BEST): datum.label,
        "reference": group.reference,
        "principles": list(group.principles) or None,
        "evidence": list(group.evidence) or None,
    }
    row |= {name: group.metadata.get(name) for name in _BESIDE}
    more = {k: v for k, v in group.metadata.items() if k not in (BEST, CORRECT, *_BESIDE)}
    if more:
        row["metadata"] = more
    return {name: value for name, value in row.items() if value is not None}
