"""``--ks 1,2,4``: how many samples vote, of every command that has it."""

from __future__ import annotations

from typer import BadParameter

from grm_plugin.errors import quoted


def read_ks(text: str | None) -> tuple[int, ...] | None:
    """Numbers of samples as ``1,2,4``, ascending; None for none.

    Raises:
        BadParameter: one is no whole number from 1 on.

    >>> read_ks("4, 1")
    (1, 4)
    """
    if text is None:
        return None
    numbers = [one.strip() for one in text.split(",")]
    if not all(one.isdecimal() and int(one) > 0 for one in numbers):
        raise BadParameter(f"--ks: expected numbers such as 1,2,4, got {quoted(text)}")
    return tuple(sorted({int(one) for one in numbers}))
