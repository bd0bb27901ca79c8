"""Values of a dataset's columns, as hosts hand them over."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from grm_plugin.errors import InputError, quoted


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, NaN, or what pandas writes for them.

    >>> is_missing(float("nan")), is_missing("nan"), is_missing(0)
    (True, False, False)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, Real) and math.isnan(value)


def optional_text(value: Any, what: str) -> str | None:
    """A text or a number as a text; None where there is none.

    A column of whole numbers in which one is missing comes as fractions; those are whole again.

    Args:
        value: of a dataset's column.
        what: how errors call it, say ``column 'answer'``.

    Raises:
        InputError: it is something else.

    >>> optional_text(42.0, "answer"), optional_text(0.5, "answer")
    ('42', '0.5')
    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, Real):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    raise InputError(f"{what}: expected a text or nothing, got {quoted(value)}")
