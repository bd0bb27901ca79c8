"""Figures that grow with every value: a mean, and how two things go together within groups."""

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


@dataclass
class Correlation:
    """Pearson's correlation of two things within groups: each is taken from its group's mean.

    What makes one group longer and better than another does not count, only what does so beside
    siblings.

    Args:
        both: sum of the products of deviations.
        first: sum of the squares of those of the first, ``second`` of those of the second.
    """

    both: float = 0.0
    first: float = 0.0
    second: float = 0.0

    def add(self, pairs: Iterable[tuple[float, float]]) -> None:
        """Count the pairs of one group, unless all have one and the same first."""
        found: Sequence[tuple[float, float]] = list(pairs)
        if len({first for first, _ in found}) < 2:
            return
        x_mean, y_mean = (statistics.fmean(values) for values in zip(*found, strict=True))
        self.both += math.fsum((x - x_mean) * (y - y_mean) for x, y in found)
        self.first += math.fsum((x - x_mean) ** 2 for x, _ in found)
        self.second += math.fsum((y - y_mean) ** 2 for _, y in found)

    @property
    def value(self) -> float:
        """In -1..1; NaN where one of the two never differs within a group.

        >>> lengths = Correlation()
        >>> lengths.add([(10, 0.2), (20, 0.4)])
        >>> lengths.add([(100, 0.1), (120, 0.5)])
        >>> round(lengths.value, 2)
        1.0
        """
        spread = math.sqrt(self.first) * math.sqrt(self.second)
        return max(-1.0, min(1.0, self.both / spread)) if spread else math.nan

    def __add__(self, other: Correlation) -> Correlation:
        return Correlation(
            self.both + other.both, self.first + other.first, self.second + other.second
        )
