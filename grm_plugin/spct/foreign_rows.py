"""Keys of rows of other data: which are read, and what is carried along. Pure functions."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.truth import LABELS
from grm_plugin.hosts.cells import said
from grm_plugin.hosts.strict_json import from_json
from grm_plugin.hosts.values import is_missing, refused

Keys = Mapping[str, Any]
PROMPTS = ("prompt", "instruction", "question", "problem", "query", "context", "input")
SEVERAL = ("completions", "responses", "solutions", "answers", "outputs")
TEXTS = ("response", "text", "solution", "answer", "output", "completion", "content")
LISTED_RATINGS = ("ratings", "scores")
FIRST, SECOND = ("response_1", "response1"), ("response_2", "response2")
TRUTHS = ("correct", "is_correct", "label")
_PAIR = ("chosen", "rejected")
_OWN = ("id", "subset", "source", "reference", "principles", "image", "images")
_FORMS = ("prompt", *_PAIR, "responses", "completions", "completion", "messages", "evidence")
_LISTS = {*SEVERAL, *LISTED_RATINGS, *TRUTHS, "metadata", "principles", "images", "evidence"}
_SAID = {*PROMPTS, *TEXTS, *FIRST, *SECOND, *_PAIR}


def carried(row: Keys, *read: str) -> dict[str, Any]:
    """What a row says beside its prompt, responses and label: its own keys, else metadata.

    Args:
        row: the row.
        read: names of the keys that were read; they and those of other forms are not carried.

    >>> carried({"prompt": "x", "chosen": "a", "rejected": "b", "id": "7", "author": "c"}, "prompt")
    {'id': '7', 'metadata': {'author': 'c'}}
    """
    there = {key: value for key, value in row.items() if not (is_missing(value) or value == "")}
    metadata = there.get("metadata", {})
    if not isinstance(metadata, Mapping):
        raise refused(("metadata",), "an object", metadata)
    known = {*read, *_OWN, *_FORMS, *LABELS, "metadata"}
    more = {key: value for key, value in metadata.items() if key not in LABELS}
    more |= {key: value for key, value in there.items() if key not in known}
    own = {name: there[name] for name in _OWN if name in there and name not in read}
    return {**own, "metadata": more} if more else own


def required(row: Keys, names: Sequence[str]) -> tuple[str, Any]:
    """The first of ``names`` that a row has, and its value.

    Raises:
        InputError: it has none of them.
    """
    for name in names:
        if row.get(name) is not None:
            return name, row[name]
    there = ", ".join(map(quoted, list(row)[:16])) or "an empty object"
    others = f" (or {', '.join(names[1:])})" if names[1:] else ""
    raise InputError(f"expected a key {names[0]!r}{others}, got {there}")


def number(value: Any, at: tuple[str | int, ...]) -> float | None:
    """A number, also as a text; None for what is missing.

    Raises:
        InputError: it is none, or infinite.

    >>> number("8.5", ("score",)), number("NaN", ("score",)), number(None, ("score",))
    (8.5, None, None)
    """
    if is_missing(value) or value in ("", "N/A"):
        return None
    with contextlib.suppress(TypeError, ValueError):
        found = float(value)
        if math.isnan(found):
            return None
        if math.isfinite(found) and not isinstance(value, bool):
            return found
    raise refused(at, "a number", value)


def truth(value: Any, at: tuple[str | int, ...]) -> bool:
    """Whether a value, also as a text, says that something is right.

    Raises:
        InputError: it says neither.
    """
    told = value.strip().lower() if isinstance(value, str) else value
    if told in ("true", "1", 1):
        return True
    if told in ("false", "0", 0):
        return False
    raise refused(at, "true or false", value)


def read_cells(row: Keys) -> dict[str, Any]:
    """A row of texts, with lists, objects and messages in place of their JSON.

    >>> read_cells({"chosen": '[{"role": "user", "content": "x"}]', "rejected": "", "id": ""})
    {'chosen': [{'role': 'user', 'content': 'x'}], 'rejected': ''}
    """
    return {name: _value(name, cell) for name, cell in row.items() if cell or name in _PAIR}


def _value(name: str, cell: str) -> Any:
    if name in _LISTS and cell.lstrip().startswith(("[", "{")):
        return from_json(cell)
    return said(cell) if name in _SAID else cell
