"""``--ks 1,2,4``: how many samples vote, of every command that has it."""

from __future__ import annotations

import re

from typer import BadParameter

from grm_plugin.errors import quoted

# int() also takes signs and underscores, and raises on a few thousand digits.
_NUMBERS = re.compile(r"\s*\d{1,9}\s*(,\s*\d{1,9}\s*)*")


def read_ks(text: str | None) -> tuple[int, ...] | None:
    """As :func:`parsed_ks`; None for none."""
    return None if text is None else parsed_ks(text)


def parsed_ks(text: str) -> tuple[int, ...]:
    """Numbers of samples as ``1,2,4``, ascending.

    Raises:
        BadParameter: one is no whole number from 1 on.

    >>> parsed_ks("4, 1")
    (1, 4)
    """
    numbers = whole_numbers(text)
    if not numbers or min(numbers) < 1:
        raise BadParameter(f"--ks: expected numbers such as 1,2,4, got {quoted(text)}")
    return tuple(sorted({*numbers}))


def whole_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a list, in its order; none where one is not a number of one to nine digits.

    >>> [whole_numbers(text) for text in ("4, 1", "4,+1", "1_0", "1" * 5000)]
    [(4, 1), (), (), ()]
    """
    if not _NUMBERS.fullmatch(text):
        return ()
    return tuple(int(one.strip()) for one in text.split(","))
