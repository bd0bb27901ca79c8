"""How two things go together: Pearson's correlation, from sums that can be added."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def pearson(both: float, first: float, second: float) -> float:
    """The correlation, -1..1; NaN where one of the two never differs.

    Args:
        both: sum of the products of deviations.
        first, second: sums of the squares of those of each.
    """
    spread = math.sqrt(first) * math.sqrt(second)
    return max(-1.0, min(1.0, both / spread)) if spread else math.nan


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

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> Correlation:
        """Of one group; all 0 for one pair, or none."""
        found: Sequence[tuple[float, float]] = list(pairs)
        if len(found) < 2:
            return cls()
        x_mean, y_mean = (statistics.fmean(values) for values in zip(*found, strict=True))
        return cls(
            math.fsum((x - x_mean) * (y - y_mean) for x, y in found),
            math.fsum((x - x_mean) ** 2 for x, _ in found),
            math.fsum((y - y_mean) ** 2 for _, y in found),
        )

    def add(self, pairs: Iterable[tuple[float, float]]) -> None:
        """Count the pairs of one group, unless all have one and the same first."""
        found = list(pairs)
        if len({first for first, _ in found}) < 2:
            return
        one = self.of(found)
        self.both += one.both
        self.first += one.first
        self.second += one.second

    @property
    def value(self) -> float:
        """In -1..1; NaN where one of the two never differs within a group.

        >>> lengths = Correlation()
        >>> lengths.add([(10, 0.2), (20, 0.4)])
        >>> lengths.add([(100, 0.1), (120, 0.5)])
        >>> round(lengths.value, 2)
        1.0
        """
        return pearson(self.both, self.first, self.second)

    def __add__(self, other: Correlation) -> Correlation:
        return Correlation(
            self.both + other.both, self.first + other.first, self.second + other.second
        )
