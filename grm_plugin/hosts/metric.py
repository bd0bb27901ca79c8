"""What a metric is: its name, its unit, its meaning, and how it is counted from verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from grm_plugin.hosts.counting import Tally

SHARE = "0 to 1"
"""The range of a share."""
ANY = "0 or more"
"""The range of an amount."""


class Described(NamedTuple):
    """A number that a trainer logs.

    Args:
        name: after the prefix of the judge, ``grm/`` unless it was given another.
        unit: of the number; empty for a share or a correlation.
        range: what it can be.
        meaning: of what, over what.
    """

    name: str
    unit: str
    range: str
    meaning: str


class Metric(NamedTuple):
    """A number that is counted from verdicts, and how."""

    described: Described
    of: Callable[[Tally], float]


def metric(name: str, unit: str, range_: str, meaning: str, of: Callable[[Tally], float]) -> Metric:
    """A metric in one line; see :class:`Described`."""
    return Metric(Described(name, unit, range_, meaning), of)
