"""What is known of a group beforehand: which responses are best, which are right, or ratings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group

BEST, RATINGS, CORRECT = "best", "ratings", "correct"
LABELS = (BEST, RATINGS, CORRECT)
"""Names in a group's metadata that say its label."""


@dataclass(frozen=True, slots=True)
class Best:
    """Some responses of a group are better than all others of it.

    Args:
        indices: of the best ones, 1 to N - 1 of N responses, ascending; one of a pair or of a list.
    """

    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Correct:
    """Every response is right or wrong by itself.

    Args:
        labels_N: 1 of a right response, 0 of a wrong one; all of a group may be alike.
    """

    labels_N: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ratings:
    """How good each response is, in whatever unit.

    Args:
        values_N: finite; higher is better.
    """

    values_N: tuple[float, ...]


Truth = Best | Correct | Ratings


def truth_of(group: Group) -> Truth:
    """What the metadata of ``group`` says is known of it.

    ``best`` is the index of the best response, or a list of the indices of several; ``correct`` is
    0 or 1 of a single response, or a list with one of them for each; ``ratings`` are N numbers.
    Beside ``best`` there may be ratings, whose maxima it must then be among.

    Raises:
        InputError: there is no truth, one of a wrong type or length, or two that differ.

    >>> truth_of(Group.of("2 + 2?", ["4", "5", "four"], metadata={"best": [0, 2]}))
    Best(indices=(0, 2))
    >>> truth_of(Group.of("2 + 2?", ["4"], metadata={"correct": 1}))
    Correct(labels_N=(1,))
    """
    given, n = _given(group), len(group.responses)
    if not given:
        raise InputError(f"expected best, correct or ratings of {n} responses, got no truth")
    if CORRECT in given and len(given) > 1:
        raise InputError(f"expected one of {', '.join(given)}, got {len(given)}")
    if CORRECT in given:
        return Correct(_labels(given[CORRECT], n))
    ratings = _ratings(given[RATINGS], n) if RATINGS in given else None
    if BEST not in given:
        return Ratings(ratings or ())
    best = _indices(given[BEST], n)
    if ratings and any(ratings[index] < max(ratings) for index in best):
        raise refused((BEST,), "places of the maximum of ratings beside it", given[BEST])
    return Best(best)


def label_of(group: Group) -> int:
    """The one label of ``group`` that training and ``grm scale`` go by, as its metadata says.

    Of N >= 2 responses it is the index of the single best one: ``best`` (from 0 on; the reader sets
    it for ``chosen`` and ``rejected``), or the place of the maximum of ``ratings``, N numbers. Of
    one response it is ``correct``, 0 or 1.

    Raises:
        InputError: there is no label, it is of a wrong type or out of range, there are two that
            differ, two maxima, or the best response is there twice.

    >>> label_of(Group.of("2 + 2?", ["4", "5"], metadata={"ratings": [0.9, 0.1]}))
    0
    """
    given, n = _given(group), len(group.responses)
    if n == 1:
        return _single(given)
    label = _single_best(given, n)
    if group.responses.count(group.responses[label]) > 1:
        raise refused((BEST,), "a best response that is there once", group.responses[label])
    return label


def _given(group: Group) -> dict[str, Any]:
    return {name: group.metadata[name] for name in LABELS if group.metadata.get(name) is not None}


def _single(given: Mapping[str, Any]) -> int:
    if CORRECT not in given:
        told = f"only {', '.join(given)}" if given else "no label"
        raise InputError(f"expected correct, 0 or 1, of a single response, got {told}")
    return _label(given[CORRECT], (CORRECT,))


def _single_best(given: Mapping[str, Any], n: int) -> int:
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


def _label(value: Any, at: tuple[str | int, ...]) -> int:
    if isinstance(value, str | list | tuple | Mapping) or value not in (0, 1):
        raise refused(at, "0 or 1", value)
    return int(value)


def _labels(values: Any, n: int) -> tuple[int, ...]:
    if n == 1 and not isinstance(values, list | tuple):
        return (_label(values, (CORRECT,)),)
    return tuple(_label(one, (CORRECT, i)) for i, one in enumerate(_listed(values, CORRECT, n)))


def _indices(value: Any, n: int) -> tuple[int, ...]:
    if n < 2:
        raise refused((BEST,), "two responses or more (one alone has correct, or ratings)", n)
    if not isinstance(value, list | tuple):
        return (_index(value, n),)
    found = tuple(sorted(_index(one, n) for one in value))
    if not 0 < len(found) < n or len(set(found)) < len(found):
        raise refused((BEST,), f"1 to {n - 1} different indices", value)
    return found


def _index(value: Any, n: int) -> int:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    if not whole or not 0 <= value < n:
        raise refused((BEST,), f"the index of one of {n} responses, 0 to {n - 1}", value)
    return int(value)


def _highest(values: Any, n: int) -> int:
    ratings = _ratings(values, n)
    if ratings.count(max(ratings)) > 1:
        raise refused((RATINGS,), "one maximum (which response is the best?), got two", values)
    return ratings.index(max(ratings))


def _ratings(values: Any, n: int) -> tuple[float, ...]:
    for place, value in enumerate(_listed(values, RATINGS, n)):
        known = isinstance(value, int | float) and not isinstance(value, bool)
        if not known or not math.isfinite(value):
            raise refused((RATINGS, place), "a number", value)
    return tuple(values)


def _listed(values: Any, name: str, n: int) -> Sequence[Any]:
    if not isinstance(values, list | tuple) or len(values) != n:
        what = "numbers" if name == RATINGS else "labels, 0 or 1"
        raise refused((name,), f"{n} {what}, one for each response", values)
    return values
