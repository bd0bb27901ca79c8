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
        in_a_group: what it is of a single group, where a trainer gets numbers for each and 0 for
            what is not known: what 0 stands for beside a true 0, which draws the mean over groups
            towards 0; empty where there is nothing to add. None: it says nothing of a single one.
    """

    name: str
    unit: str
    range: str
    meaning: str
    in_a_group: str | None = None


class Metric(NamedTuple):
    """A number that is counted from verdicts, and how."""

    described: Described
    of: Callable[[Tally], float]


def metric(
    name: str,
    unit: str,
    range_: str,
    meaning: str,
    of: Callable[[Tally], float],
    in_a_group: str | None = None,
) -> Metric:
    """A metric in one line; see :class:`Described`."""
    return Metric(Described(name, unit, range_, meaning, in_a_group), of)
