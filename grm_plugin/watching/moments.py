"""Means, spreads and correlation of pairs that come one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from grm_plugin.correlation import pearson


@dataclass
class Moments:
    """Of pairs (x, y), without keeping them.

    Args:
        count: pairs.
        x, y: their means.
        xx, yy, xy: sums of squares and products of deviations from the means.

    >>> both = Moments()
    >>> for pair in [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]:
    ...     both.add(*pair)
    >>> both.x, both.y, both.x_sd, round(both.correlation, 9)
    (2.0, 4.0, 1.0, 1.0)
    """

    count: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    yy: float = 0.0
    xy: float = 0.0

    def add(self, x: float, y: float) -> None:
        """Count one pair (Welford's updates)."""
        self.count += 1
        x_before, y_before = x - self.x, y - self.y
        self.x += x_before / self.count
        self.y += y_before / self.count
        self.xx += x_before * (x - self.x)
        self.yy += y_before * (y - self.y)
        self.xy += x_before * (y - self.y)

    def __add__(self, other: Moments) -> Moments:
        """Of all pairs of both."""
        count = self.count + other.count
        if not count:
            return Moments()
        x, y, part = other.x - self.x, other.y - self.y, other.count / count
        weight = self.count * part
        return Moments(
            count,
            self.x + x * part,
            self.y + y * part,
            self.xx + other.xx + x * x * weight,
            self.yy + other.yy + y * y * weight,
            self.xy + other.xy + x * y * weight,
        )

    @property
    def x_sd(self) -> float:
        """Standard deviation of x; NaN of fewer than two."""
        return math.sqrt(self.xx / (self.count - 1)) if self.count > 1 else math.nan

    @property
    def y_sd(self) -> float:
        """Standard deviation of y; NaN of fewer than two."""
        return math.sqrt(self.yy / (self.count - 1)) if self.count > 1 else math.nan

    @property
    def correlation(self) -> float:
        """In -1..1; NaN where one of the two never differs."""
        return pearson(self.xy, self.xx, self.yy)


@dataclass
class Decaying:
    """A mean in which what came ``reach`` rounds ago counts 1/e as much as what comes now.

    While fewer than ``reach`` rounds have come, all count alike.
    """

    reach: float
    value: float = 0.0
    rounds: float = 0.0

    def add(self, value: float) -> None:
        """Count the value of one round."""
        self.rounds = min(self.rounds + 1, self.reach)
        self.value += (value - self.value) / self.rounds
