"""The JSON that servers send, read so that no number in it can do harm."""

from __future__ import annotations

import json
from typing import Any

_DIGITS = 18  # longer ones are no number of anything; they could cost seconds, or be refused


def json_value(content: bytes) -> Any:
    """The JSON value in ``content``; integers of more than 18 digits become floats, maybe inf.

    Raises:
        ValueError: it is no JSON, or too deeply nested.
    """
    try:
        return json.loads(content, parse_int=_integer)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float(digits)
