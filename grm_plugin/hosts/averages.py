"""Means and spreads, of values that are there and of those that come one by one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def mean(values: Iterable[float]) -> float:
    """The mean, NaN for nothing."""
    found = list(values)
    return float(statistics.fmean(found)) if found else math.nan


def spread(values: Sequence[float]) -> float:
    """The standard deviation of ``values``, at least one, around their mean.

    >>> spread([1.0, 3.0])
    1.0
    """
    middle = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / len(values))


def smoothed(values: Sequence[float], reach: int = 3) -> list[float]:
    """The centred running mean over ``2 * reach + 1`` values, of fewer at both ends.

    NaN is left out; where there is nothing else, it stays.

    >>> smoothed([0.0, 1.0, 5.0], reach=1)
    [0.5, 2.0, 3.0]
    """
    windows = (values[max(0, i - reach) : i + reach + 1] for i in range(len(values)))
    return [mean(value for value in window if not math.isnan(value)) for window in windows]


def log_length(text: str) -> float:
    """The length of a response as correlations take it: the logarithm of its characters plus 1."""
    return math.log1p(len(text))


@dataclass
class Mean:
    """The mean of values that come one by one."""

    total: float = 0.0
    count: int = 0

    def add(self, *values: float) -> None:
        """Count ``values``."""
        self.total += math.fsum(values)
        self.count += len(values)

    @property
    def value(self) -> float:
        """NaN before the first."""
        return self.total / self.count if self.count else math.nan

    def __add__(self, other: Mean) -> Mean:
        return Mean(self.total + other.total, self.count + other.count)
