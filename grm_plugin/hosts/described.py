"""What a trainer logs, described: name, unit, range and meaning of a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from grm_plugin.hosts.counting import Tally

SHARE = "0 to 1"
ANY = "0 or more"


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
    """A metric of these fields of :class:`Described`, and how it is counted."""
    return Metric(Described(name, unit, range_, meaning), of)
