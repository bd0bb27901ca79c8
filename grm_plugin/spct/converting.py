"""Rows of well-known preference data as RM data. Pure functions, one for each form.

What they have beside prompt, responses and label is carried along: ``id``, ``subset``, ``source``,
``reference``, ``principles`` and images as they are, every other column in the metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.cells import Cells
from grm_plugin.hosts.rows import group_of
from grm_plugin.hosts.values import refused
from grm_plugin.spct.examples import Datum, datum_of
from grm_plugin.spct.foreign_rows import (
    FIRST,
    LISTED_RATINGS,
    PROMPTS,
    SECOND,
    SEVERAL,
    TEXTS,
    TRUTHS,
    Keys,
    carried,
    number,
    read_cells,
    required,
    truth,
)

_RATINGS = ("overall_score", "fine-grained_score", "rating", "score")
_VERIFIED = (*SEVERAL, *TEXTS, *TRUTHS)
_STRENGTHS = ("preference_strength", "overall_preference")


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that says nothing about which response is best, and why."""

    why: str


Converter = Callable[[Keys], Iterator[dict[str, Any] | Dropped]]


def converted(row: object, converter: Converter) -> Iterator[Datum | Dropped]:
    """What a row of other data says, as data.

    Args:
        row: an object as JSON has it, or as a table has it.
        converter: of its form.

    Raises:
        InputError: it is not of that form; names the key, what was expected and what came.
    """
    if not isinstance(row, Mapping):
        raise InputError(f"expected a JSON object, got {quoted(row)}")
    for found in converter(read_cells(row) if isinstance(row, Cells) else row):
        yield found if isinstance(found, Dropped) else datum_of(group_of(found))


def from_pair(row: Keys) -> Iterator[dict[str, Any] | Dropped]:
    """``chosen`` and ``rejected``, with a prompt or beginning with it.

    >>> next(from_pair({"prompt": "2 + 2?", "chosen": "4", "rejected": "4"}))
    Dropped(why='chosen and rejected are the same')
    """
    if row.get("chosen") is not None and row.get("chosen") == row.get("rejected"):
        yield Dropped("chosen and rejected are the same")
    else:
        keys = ("prompt", "chosen", "rejected", "evidence")
        yield {**carried(row), **{key: row[key] for key in keys if key in row}}


def from_ratings(row: Keys, rating: str | None = None) -> Iterator[dict[str, Any] | Dropped]:
    """One prompt, several responses, a rating of each; responses without one are left out.

    The ratings stand beside the responses (``ratings`` or ``scores``), or each in an object with
    its response (``completions: [{"response": ..., "overall_score": 8.5}]``).

    Args:
        row: the row.
        rating: name of the rating; None for the usual ones.

    >>> row = {"prompt": "2 + 2?", "responses": ["4", "5", "6"], "ratings": [9, 2, 9]}
    >>> next(from_ratings(row))
    Dropped(why='the highest rating is there twice')
    """
    _, several = required(row, SEVERAL)
    rated = [
        (text, value)
        for text, value in _rated(row, several, rating)
        if value is not None and text is not None
    ]
    ratings = [value for _, value in rated]
    if len(rated) < 2:
        yield Dropped("fewer than two responses are rated")
    elif ratings.count(max(ratings)) > 1:
        yield Dropped("the highest rating is there twice")
    else:
        best = ratings.index(max(ratings))
        read = (*SEVERAL, *_names(rating, LISTED_RATINGS))
        yield _group(row, [text for text, _ in rated], best, read, ratings=ratings)


def from_strengths(row: Keys) -> Iterator[dict[str, Any] | Dropped]:
    """Two responses and how much better which of them is: -3 the first, 3 the second, 0 neither.

    >>> keys = {"prompt": "2 + 2?", "response_1": "4", "response_2": "5"}
    >>> next(from_strengths({**keys, "preference_strength": -2}))["best"]
    0
    """
    name, strength = required(row, _STRENGTHS)
    value = number(strength, (name,))
    if value is None or not -3 <= value <= 3:
        raise refused((name,), "a number from -3 to 3", strength)
    texts = [required(row, names)[1] for names in (FIRST, SECOND)]
    if value == 0:
        yield Dropped("neither is better: strength 0")
    else:
        yield _group(row, texts, int(value > 0), (*FIRST, *SECOND, name), strength=value)


def from_verified(row: Keys, together: bool = False) -> Iterator[dict[str, Any] | Dropped]:
    """Answers of which is known whether they are right.

    One (``response`` and ``correct``), or several: ``solutions`` with a list ``correct`` beside
    them, or each an object (``{"solution": ..., "correct": true}``).

    Args:
        row: the row.
        together: a group of all of them, if just one is right; else each is a datum of its own.

    >>> row = {"prompt": "2 + 2?", "solutions": ["4", "5"], "correct": [True, False]}
    >>> [found["correct"] for found in from_verified(row)]
    [1, 0]
    >>> [found["best"] for found in from_verified(row, together=True)]
    [0]
    """
    judged = list(_verified(row))
    right = [place for place, (_, correct) in enumerate(judged) if correct]
    if not together:
        for place, (text, correct) in enumerate(judged):
            kept = _asked(row, _VERIFIED)
            if "id" in kept and len(judged) > 1:
                kept["id"] = f"{kept['id']}/{place}"
            yield {**kept, "responses": [text], "correct": int(correct)}
    elif len(judged) < 2:
        yield Dropped("there is only one answer")
    elif len(right) != 1:
        yield Dropped("no answer is right" if not right else "several answers are right")
    else:
        yield _group(row, [text for text, _ in judged], right[0], _VERIFIED)


def _group(
    row: Keys, texts: Sequence[Any], best: int, read: Sequence[str], **known: Any
) -> dict[str, Any] | Dropped:
    """A group of ``texts``; what else is ``known`` of it joins its metadata."""
    if list(texts).count(texts[best]) > 1:
        return Dropped("the best response is there twice")
    group = {**_asked(row, read), "responses": list(texts), "best": best}
    evidence = row.get("evidence")
    if isinstance(evidence, list | tuple) and len(evidence) == len(texts):
        group["evidence"] = evidence
    if known:
        group["metadata"] = {**group.get("metadata", {}), **known}
    return group


def _asked(row: Keys, read: Sequence[str]) -> dict[str, Any]:
    """The prompt of a row, and what is carried along."""
    name, prompt = required(row, PROMPTS)
    return {**carried(row, name, *read), "prompt": prompt}


def _rated(row: Keys, several: Any, rating: str | None) -> Iterator[tuple[Any, float | None]]:
    if _are_objects(several):
        for place, one in enumerate(several):
            name = next((name for name in _names(rating, _RATINGS) if name in one), None)
            if name is None:
                raise refused((place,), f"a rating ({', '.join(_names(rating, _RATINGS))})", one)
            yield required(one, TEXTS)[1], number(one[name], (place, name))
        return
    name, values = required(row, _names(rating, LISTED_RATINGS))
    for place, (text, value) in enumerate(_paired(several, values, name)):
        yield text, number(value, (name, place))


def _names(given: str | None, usual: Sequence[str]) -> Sequence[str]:
    return (given,) if given else usual


def _verified(row: Keys) -> Iterator[tuple[Any, bool]]:
    several = next((row[name] for name in SEVERAL if row.get(name) is not None), None)
    if several is None:
        name, value = required(row, TRUTHS)
        yield required(row, TEXTS)[1], truth(value, (name,))
    elif _are_objects(several):
        for place, one in enumerate(several):
            name, value = required(one, TRUTHS)
            yield required(one, TEXTS)[1], truth(value, (place, name))
    else:
        name, values = required(row, TRUTHS)
        for place, (text, value) in enumerate(_paired(several, values, name)):
            yield text, truth(value, (name, place))


def _are_objects(several: Any) -> bool:
    """Whether each is an object with its label, and no chat message."""
    if not isinstance(several, list | tuple) or not several:
        raise InputError(f"expected a list of responses, got {quoted(several)}")
    return all(isinstance(one, Mapping) and "role" not in one for one in several)


def _paired(several: Sequence[Any], values: Any, name: str) -> Iterator[tuple[Any, Any]]:
    if not isinstance(values, list | tuple) or len(values) != len(several):
        raise refused((name,), f"one for each of {len(several)} responses", values)
    return zip(several, values, strict=True)
