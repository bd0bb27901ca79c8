"""``--ks 1,2,4``: how many samples vote, of every command that has it."""

from __future__ import annotations

from typer import BadParameter

from grm_plugin.errors import quoted


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
    try:
        numbers = {int(one) for one in text.split(",")}
    except ValueError:
        numbers = set()
    if not numbers or min(numbers) < 1:
        raise BadParameter(f"--ks: expected numbers such as 1,2,4, got {quoted(text)}")
    return tuple(sorted(numbers))
