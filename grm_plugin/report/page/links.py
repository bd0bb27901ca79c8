"""Links from a number to the groups behind it: the table's state as the fragment of an address."""

from __future__ import annotations

from urllib.parse import urlencode


def to(**filters: str) -> str:
    """The fragment that shows the groups that pass all ``filters``.

    >>> to(subset="a&b", reward=among(0.5, 0.6))
    '#subset=a%26b&reward=0.5..%3C0.6'
    """
    return f"#{urlencode(filters)}"


def among(low: float, high: float, *, with_high: bool = False) -> str:
    """A range of values: from ``low`` on and below ``high``, or up to it where it is counted.

    >>> among(3, 7, with_high=True)
    '3..7'
    """
    return f"{low:.12g}..{'' if with_high else '<'}{high:.12g}"
