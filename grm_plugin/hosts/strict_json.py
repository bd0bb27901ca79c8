"""JSON as it is meant: every key once, no infinite number, no lost digits."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from grm_plugin.errors import InputError, quoted


def from_json(text: str) -> Any:
    """The value that ``text`` tells.

    Python writes a missing number as NaN, which is read: whether a value may be missing, the field
    decides.

    Raises:
        InputError: it is no JSON, names a key twice, holds an infinite number or one of thousands
            of digits, or is too deep for Python.

    >>> from_json('{"id": 7}')
    {'id': 7}
    """
    try:
        return DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"expected a JSON object, got {quoted(text.strip())} ({_why(error)})"
        ) from error


def _why(error: Exception) -> str:
    return "too many levels" if isinstance(error, RecursionError) else str(error)


def _constant(name: str) -> float:
    if name == "NaN":
        return math.nan
    raise ValueError(f"{name} is no JSON number")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{quoted(text)} is more than a number can be")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"key {quoted(twice)} is there twice")
    return found


DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_float, object_pairs_hook=_object)
