"""Intervals of shares: Wilson's, of as many items as they are worth. Needs scipy.

Percentiles of resampled shares are too narrow where there are few items and nearly all are right:
of 28 items of which 95 % are right, a nominal 95 % interval holds the truth in 78 % of cases, and
when all are right it has no width at all. Wilson's interval holds it in 95 %. Clusters and weights
come in as for shares in surveys (Korn and Graubard, Surv. Methodol. 24, 1998): by the number of
independent items that would have the same variance.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm, t

from grm_plugin.evaluation.resampling import Array

_NONE = 1e-12  # of variance, but for rounding


def share_interval(
    share: float, shares_R: Array, *, items: int, sources: int, level: float = 0.95
) -> tuple[float, float]:
    """The interval of a share.

    Args:
        share: 0..1, over the items.
        shares_R: over R resamples of the sources; NaN where a resample does not say it.
        items: that the share is over.
        sources: that are independent of each other, 2 to ``items``.
        level: of the interval, 0..1.

    >>> [round(end, 3) for end in share_interval(1.0, np.ones(100), items=28, sources=28)]
    [0.879, 1.0]
    """
    z = float(norm.ppf((1 + level) / 2))
    worth = _worth(share, shares_R, items, sources) * _for_few(items, sources, level)
    middle = (share + z**2 / (2 * worth)) / (1 + z**2 / worth)
    half = z * math.sqrt(share * (1 - share) / worth + (z / (2 * worth)) ** 2) / (1 + z**2 / worth)
    return max(0.0, middle - half), 1.0 if share == 1 else min(1.0, middle + half)


def for_few_sources(sources: int, level: float) -> float:
    """By how much a resampled spread is widened, as few sources do not know it: 1 of many.

    A bootstrap spreads as if it knew the variance, and less than it by (S - 1) / S.

    >>> round(for_few_sources(6, 0.95), 2), round(for_few_sources(1000, 0.95), 2)
    (1.44, 1.0)
    """
    tail = (1 + level) / 2
    student = t.ppf(tail, sources - 1) / norm.ppf(tail)
    return float(student * math.sqrt(sources / (sources - 1)))


def _worth(share: float, shares_R: Array, items: int, sources: int) -> float:
    """How many independent items would vary as much; without any variation, the sources."""
    there = shares_R[~np.isnan(shares_R)]
    variance = float(there.var()) if len(there) else 0.0
    if variance < _NONE:
        return sources
    return min(share * (1 - share) / variance, items)


def _for_few(items: int, sources: int, level: float) -> float:
    """What is lost by not knowing the variance, where it is told from few sources."""
    tail = (1 + level) / 2
    return float((t.ppf(tail, items - 1) / t.ppf(tail, sources - 1)) ** 2)
