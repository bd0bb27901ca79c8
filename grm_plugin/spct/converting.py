"""Rows of well-known preference data as RM data. Pure functions, one for each form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.cells import Cells
from grm_plugin.hosts.rows import group_of
from grm_plugin.hosts.strict_json import from_json
from grm_plugin.hosts.values import is_missing, refused
from grm_plugin.spct.examples import Datum, datum_of

Keys = Mapping[str, Any]
_PROMPTS = ("prompt", "instruction", "question", "problem", "query", "context", "input")
_SEVERAL = ("completions", "responses", "solutions", "answers", "outputs")
_TEXTS = ("response", "text", "solution", "answer", "output", "completion", "content")
_RATINGS = ("overall_score", "fine-grained_score", "rating", "score")
_LISTED_RATINGS = ("ratings", "scores")
_STRENGTHS = ("preference_strength", "overall_preference")
_FIRST, _SECOND = ("response_1", "response1"), ("response_2", "response2")
_CORRECT = ("correct", "is_correct", "label")
_KEPT = ("id", "subset", "source", "reference")


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
    for found in converter(_read_cells(row) if isinstance(row, Cells) else row):
        yield found if isinstance(found, Dropped) else datum_of(group_of(found))


def from_pair(row: Keys) -> Iterator[dict[str, Any] | Dropped]:
    """``chosen`` and ``rejected``, with a prompt or beginning with it.

    >>> next(from_pair({"prompt": "2 + 2?", "chosen": "4", "rejected": "4"}))
    Dropped(why='chosen and rejected are the same')
    """
    if row.get("chosen") is not None and row.get("chosen") == row.get("rejected"):
        yield Dropped("chosen and rejected are the same")
    else:
        keys = ("prompt", "chosen", "rejected")
        yield {**_kept(row), **{key: row[key] for key in keys if key in row}}


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
    _, several = _required(row, _SEVERAL)
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
        yield _group(row, [text for text, _ in rated], best, metadata={"ratings": ratings})


def from_strengths(row: Keys) -> Iterator[dict[str, Any] | Dropped]:
    """Two responses and how much better which of them is: -3 the first, 3 the second, 0 neither.

    >>> keys = {"prompt": "2 + 2?", "response_1": "4", "response_2": "5"}
    >>> next(from_strengths({**keys, "preference_strength": -2}))["best"]
    0
    """
    name, strength = _required(row, _STRENGTHS)
    number = _number(strength, (name,))
    if number is None or not -3 <= number <= 3:
        raise refused((name,), "a number from -3 to 3", strength)
    texts = [_required(row, names)[1] for names in (_FIRST, _SECOND)]
    if number == 0:
        yield Dropped("neither is better: strength 0")
    else:
        yield _group(row, texts, int(number > 0), metadata={"strength": number})


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
            kept = _kept(row)
            if "id" in kept and len(judged) > 1:
                kept["id"] = f"{kept['id']}/{place}"
            yield {**kept, "prompt": _prompt(row), "responses": [text], "correct": int(correct)}
    elif len(judged) < 2:
        yield Dropped("there is only one answer")
    elif len(right) != 1:
        yield Dropped("no answer is right" if not right else "several answers are right")
    else:
        yield _group(row, [text for text, _ in judged], right[0])


def _group(row: Keys, texts: Sequence[Any], best: int, **more: Any) -> dict[str, Any] | Dropped:
    if list(texts).count(texts[best]) > 1:
        return Dropped("the best response is there twice")
    return {**_kept(row), "prompt": _prompt(row), "responses": list(texts), "best": best, **more}


def _kept(row: Keys) -> dict[str, Any]:
    return {name: row[name] for name in _KEPT if row.get(name) is not None}


def _prompt(row: Keys) -> Any:
    return _required(row, _PROMPTS)[1]


def _required(row: Keys, names: Sequence[str]) -> tuple[str, Any]:
    """The first of ``names`` that a row has, and its value."""
    for name in names:
        if row.get(name) is not None:
            return name, row[name]
    there = ", ".join(map(quoted, list(row)[:16])) or "an empty object"
    others = f" (or {', '.join(names[1:])})" if names[1:] else ""
    raise InputError(f"expected a key {names[0]!r}{others}, got {there}")


def _rated(row: Keys, several: Any, rating: str | None) -> Iterator[tuple[Any, float | None]]:
    if _are_objects(several):
        for place, one in enumerate(several):
            name = next((name for name in _names(rating, _RATINGS) if name in one), None)
            if name is None:
                raise refused((place,), f"a rating ({', '.join(_names(rating, _RATINGS))})", one)
            yield _required(one, _TEXTS)[1], _number(one[name], (place, name))
        return
    name, values = _required(row, _names(rating, _LISTED_RATINGS))
    for place, (text, value) in enumerate(_paired(several, values, name)):
        yield text, _number(value, (name, place))


def _names(given: str | None, usual: Sequence[str]) -> Sequence[str]:
    return (given,) if given else usual


def _verified(row: Keys) -> Iterator[tuple[Any, bool]]:
    several = next((row[name] for name in _SEVERAL if row.get(name) is not None), None)
    if several is None:
        name, value = _required(row, _CORRECT)
        yield _required(row, _TEXTS)[1], _truth(value, (name,))
    elif _are_objects(several):
        for place, one in enumerate(several):
            name, value = _required(one, _CORRECT)
            yield _required(one, _TEXTS)[1], _truth(value, (place, name))
    else:
        name, values = _required(row, _CORRECT)
        for place, (text, value) in enumerate(_paired(several, values, name)):
            yield text, _truth(value, (name, place))


def _are_objects(several: Any) -> bool:
    """Whether each is an object with its label, and no chat message."""
    if not isinstance(several, list | tuple) or not several:
        raise InputError(f"expected a list of responses, got {quoted(several)}")
    return all(isinstance(one, Mapping) and "role" not in one for one in several)


def _paired(several: Sequence[Any], values: Any, name: str) -> Iterator[tuple[Any, Any]]:
    if not isinstance(values, list | tuple) or len(values) != len(several):
        raise refused((name,), f"one for each of {len(several)} responses", values)
    return zip(several, values, strict=True)


def _number(value: Any, at: tuple[str | int, ...]) -> float | None:
    """A number, also as a text; None for what is missing."""
    if is_missing(value) or value in ("", "N/A"):
        return None
    try:
        if not isinstance(value, bool):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise refused(at, "a number", value)


def _truth(value: Any, at: tuple[str | int, ...]) -> bool:
    told = value.strip().lower() if isinstance(value, str) else value
    if told in ("true", "1", 1):
        return True
    if told in ("false", "0", 0):
        return False
    raise refused(at, "true or false", value)


def _read_cells(row: Keys) -> dict[str, Any]:
    """A row of texts, with lists and objects in place of their JSON."""
    return {
        name: from_json(cell) if cell.lstrip().startswith(("[", "{")) and name in _SAID else cell
        for name, cell in row.items()
        if cell
    }


_SAID = {*_SEVERAL, *_LISTED_RATINGS, *_CORRECT}
