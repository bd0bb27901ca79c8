"""Means over seeds with their intervals: the seeds are what was drawn."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from scipy.stats import t

from grm_plugin.evaluation.statistics import Estimate, quantile

_OUTSIDE = 0.025  # of a 95 % interval, on each side

BySeed = Mapping[int, float]
"""One number for each seed."""


def over_seeds(values: Sequence[float]) -> Estimate:
    """The mean with its 95 % interval of Student's t; that of one seed is infinitely wide.

    NaN where a seed says nothing.

    >>> found = over_seeds([0.1, 0.2, 0.3])
    >>> [round(one, 3) for one in (found.low, found.value, found.high)]
    [-0.048, 0.2, 0.448]
    """
    value = statistics.fmean(values)
    half = quantile(_OUTSIDE, len(values) - 1) * _error(values) if len(values) > 1 else math.inf
    return Estimate(value, value - half, value + half)


def surprise(values: Sequence[float]) -> float:
    """The two-sided p of Student's t that the mean is 0; 1 where seeds tell nothing.

    >>> round(surprise([0.1, 0.2, 0.3]), 3)
    0.074
    """
    if len(values) < 2 or any(map(math.isnan, values)):
        return 1.0
    error, mean = _error(values), abs(statistics.fmean(values))
    if not error:
        return 0.0 if mean else 1.0
    return float(2 * t.sf(mean / error, len(values) - 1))


def paired(first: BySeed, second: BySeed) -> dict[int, float]:
    """First minus second, of the seeds that both have."""
    return {seed: first[seed] - second[seed] for seed in first if seed in second}


def _error(values: Sequence[float]) -> float:
    if any(map(math.isnan, values)):
        return math.nan
    return statistics.stdev(values) / math.sqrt(len(values))
