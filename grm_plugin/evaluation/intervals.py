"""Intervals of shares: Wilson's, of as many items as they are worth. Needs scipy.

Percentiles of resampled shares are too narrow where there are few items and nearly all are right:
of 28 items of which 95 % are right, a nominal 95 % interval holds the truth in 78 % of cases, and
when all are right it has no width at all. Wilson's interval holds it in 95 %. Clusters and weights
come in as for shares in surveys (Korn and Graubard, Surv. Methodol. 24, 1998): by the number of
independent items that would have the same variance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np
from scipy.stats import norm, t

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.statistics import Estimate

_NONE = 1e-12  # of variance, but for rounding


def share_interval(
    share: float, shares_R: Array, *, items: int, sources: int, level: float = 0.95
) -> tuple[float, float]:
    """The interval of a share.

    Args:
        share: 0..1, over the items.
        shares_R: over R resamples of the sources; NaN where a resample does not say it.
        items: that the share is over.
        sources: that are independent of each other, 1 to ``items``.
        level: of the interval, 0..1.

    >>> [round(end, 3) for end in share_interval(1.0, np.ones(100), items=28, sources=28)]
    [0.879, 1.0]
    """
    z = float(norm.ppf((1 + level) / 2))
    worth = _worth(share, shares_R, items, sources) * _for_few(items, sources, level)
    middle = (share + z**2 / (2 * worth)) / (1 + z**2 / worth)
    half = z * math.sqrt(share * (1 - share) / worth + (z / (2 * worth)) ** 2) / (1 + z**2 / worth)
    return max(0.0, middle - half), 1.0 if share == 1 else min(1.0, middle + half)


def average_interval(
    parts: Sequence[Estimate], weights_P: Array, values_P_R: Array, shared_P_P: Array
) -> tuple[float, float]:
    """The interval of an average of shares, each of which is as unsure as its own interval says.

    The distances to their ends add up as standard errors do (Zou and Donner, Stat. Med. 27, 2008).
    A small part that is all right so keeps its room below, which the variance of resamples lacks.
    Of several small parts that leaves too little room above, and Wilson's interval of the average
    has it: the wider of both at either end holds the truth where one of them does.

    Args:
        parts: P shares, with their intervals.
        weights_P: of each; they sum to 1.
        values_P_R: each in R resamples, which say how parts go together; NaN where not said.
        shared_P_P: how far parts have the same sources, 0..1, as :func:`overlap` says; that much
            a part that does not vary is taken to go with others.
    """
    value = sum(one.value * weight for one, weight in zip(parts, weights_P, strict=True))
    together_P_P = _together(parts, values_P_R, shared_P_P)
    below_P = weights_P * [one.value - one.low for one in parts]
    above_P = weights_P * [one.high - one.value for one in parts]
    low, high = (
        math.sqrt(max(0.0, apart_P @ together_P_P @ apart_P)) for apart_P in (below_P, above_P)
    )
    return max(0.0, value - low), min(1.0, value + high)


def overlap(sources_P: Sequence[AbstractSet[str]]) -> Array:
    """How far parts have the same sources: 0 for none of them, 1 for all."""
    return np.array(
        [
            [len(one & other) / math.sqrt(len(one) * len(other)) for other in sources_P]
            for one in sources_P
        ]
    )


def _together(parts: Sequence[Estimate], values_P_R: Array, shared_P_P: Array) -> Array:
    """The correlation of parts over the resamples; of what does not vary, what they share."""
    apart_P_R = np.nan_to_num(values_P_R - np.array([[one.value] for one in parts]))
    spread_P = np.sqrt((apart_P_R**2).mean(axis=1))
    varies_P = spread_P > math.sqrt(_NONE)
    unit_P_R = apart_P_R / np.where(varies_P, spread_P, 1.0)[:, None]
    known_P_P = np.outer(varies_P, varies_P)
    found: Array = np.where(known_P_P, unit_P_R @ unit_P_R.T / values_P_R.shape[1], shared_P_P)
    return found


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
    if variance < _NONE or sources < 2:
        return sources
    return min(share * (1 - share) / variance, items)


def _for_few(items: int, sources: int, level: float) -> float:
    """What is lost by not knowing the variance, where it is told from few sources."""
    if sources < 2:
        return 1.0
    tail = (1 + level) / 2
    return float((t.ppf(tail, items - 1) / t.ppf(tail, sources - 1)) ** 2)
