"""Values of a dataset's columns, as hosts hand them over."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any
from uuid import UUID

from grm_plugin.errors import InputError, placed, quoted

Place = tuple[str | int, ...]
"""Where a value stands in what a host hands over, such as ``("prompt", 0, "role")``."""

MAX_DEPTH = 32
"""Levels of lists and objects within one value."""
_MOST_BITS = 13_000
"""Of an integer: Python writes no more than 4,300 digits."""
_TOLD = (date, datetime, time, timedelta, Decimal, UUID)


def refused(at: Place, expected: str, got: object) -> InputError:
    """The error for a value at ``at`` that is something else than ``expected``."""
    where = f"{placed(at)}: " if at else ""
    return InputError(f"{where}expected {expected}, got {quoted(got)}")


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, NaN, or what pandas writes for them.

    >>> is_missing(float("nan")), is_missing("nan"), is_missing(0)
    (True, False, False)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, Real) and bool(value != value)


def optional_text(value: Any, what: str) -> str | None:
    """A text or a number as a text; None where there is none.

    A column of whole numbers in which one is missing comes as fractions; those are whole again.

    Args:
        value: of a dataset's column.
        what: how errors call it, say ``column 'answer'``.

    Raises:
        InputError: it is something else, infinite, or an integer of thousands of digits.

    >>> optional_text(42.0, "answer"), optional_text(0.5, "answer")
    ('42', '0.5')
    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, Real | Decimal) and _can_be_written(value):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    raise InputError(f"{what}: expected a text or nothing, got {quoted(value)}")


def _can_be_written(number: Real | Decimal | float) -> bool:
    if isinstance(number, int):
        return number.bit_length() <= _MOST_BITS
    try:
        return math.isfinite(number)
    except OverflowError:  # a fraction of integers like that
        return False


def texts(value: Any, what: str) -> tuple[str, ...]:
    """A text, or a list of texts and numbers, as texts; what is missing or empty is left out.

    Args:
        value: of a dataset's column.
        what: how errors call it.

    Raises:
        InputError: it is something else.
    """
    if not isinstance(value, list | tuple):
        value, places = [value], [what]
    else:
        places = [f"{what}, item {i}" for i in range(len(value))]
    found = (optional_text(one, place) for one, place in zip(value, places, strict=True))
    return tuple(text for text in found if text)


def as_json(value: Any, at: Place) -> Any:
    """``value`` as JSON can tell it: dates, decimals and the like as texts, bytes by their number.

    Raises:
        InputError: a number is not finite or has thousands of digits, the levels are more than
            ``MAX_DEPTH``, a key is no text, or there is a value of another kind.

    >>> as_json({"day": date(2026, 11, 26), "raw": b"abc"}, ("metadata",))
    {'day': '2026-11-26', 'raw': '[3 bytes]'}
    """
    if len(at) > MAX_DEPTH:
        raise InputError(f"{placed(at[:2])}: expected at most {MAX_DEPTH} levels, got more")
    if isinstance(value, Mapping):
        return {_key(key, at): as_json(inner, (*at, key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner, (*at, i)) for i, inner in enumerate(value)]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    return _scalar(value, at)


def _key(key: Any, at: Place) -> str:
    if isinstance(key, str):
        return key
    raise refused(at, "names that are texts", key)


def _scalar(value: Any, at: Place) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        if not _can_be_written(value):
            raise refused(at, "JSON (NaN is no JSON number)", value)
        return value
    if isinstance(value, _TOLD):
        return value.isoformat() if isinstance(value, date | time) else str(value)
    if is_missing(value):
        return None
    raise refused(at, "a value that JSON can tell", value)


def levels(value: Any) -> Iterator[int]:
    """The level of every list and object within ``value``, without recursion."""
    open_ = [(value, 1)]
    while open_:
        inner, level = open_.pop()
        if isinstance(inner, Mapping | list | tuple):
            yield level
            below = inner.values() if isinstance(inner, Mapping) else inner
            open_ += [(one, level + 1) for one in below]


def check_depth(value: Any, at: Place) -> None:
    """Refuse what is nested deeper than ``MAX_DEPTH``, or in a circle.

    Raises:
        InputError: it is.
    """
    if any(level > MAX_DEPTH for level in levels(value)):
        raise InputError(f"{placed(at)}: expected at most {MAX_DEPTH} levels, got more")
