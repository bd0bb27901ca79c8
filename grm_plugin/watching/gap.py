"""One round: how far rewards are from the control judge, and whether they go with it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from grm_plugin.correlation import Correlation
from grm_plugin.watching.compared import Compared
from grm_plugin.watching.start import Start


class Measured(NamedTuple):
    """A number and its standard error over groups; NaN where it is not known."""

    value: float
    error: float


def gap_of(groups: Sequence[Compared], start: Start) -> Measured:
    """Mean z of the rewards less that of the control judge; each group counts alike.

    Of a single group the error is that of groups at the start.
    """
    if not groups:
        return Measured(math.nan, math.nan)
    apart = [reward - control for reward, control in map(start.z, groups)]
    sd = statistics.stdev(apart) if len(apart) > 1 else start.gap_sd
    return Measured(statistics.fmean(apart), sd / math.sqrt(len(apart)))


def correlation_of(groups: Sequence[Compared]) -> Measured:
    """Correlation of rewards and controls inside groups, with its error over groups.

    The error is that of a ratio of sums over groups, to the first order.
    """
    linked = [one for one in (group.inside for group in groups) if one.first or one.second]
    all_ = sum(linked, Correlation())
    value = all_.value
    if math.isnan(value):
        return Measured(math.nan, math.nan)
    spread = math.sqrt(all_.first) * math.sqrt(all_.second)
    shifts = [
        one.both / spread - value / 2 * (one.first / all_.first + one.second / all_.second)
        for one in linked
    ]
    if (n := len(shifts)) < 2:
        return Measured(value, math.nan)
    return Measured(value, math.sqrt(math.fsum(one * one for one in shifts) * n / (n - 1)))
