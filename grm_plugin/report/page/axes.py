"""Where marks of a plot stand: round ticks, bins and pixels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1, 2, 2.5, 5, 10)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from ``low`` or below to ``high`` or above, at most ``most`` + 2.

    >>> ticks(0.13, 0.87)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high - low > 1e-9 * max(1.0, abs(low), abs(high)):
        low, high = low - 0.5, low + 0.5
    rough = (high - low) / most
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(one * unit for one in _STEPS if one * unit >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


@dataclass(frozen=True)
class Axis:
    """A range of values on a range of pixels; ``labels`` stand at ``ticks``."""

    ticks: tuple[float, ...]
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float, most: int = 5) -> Axis:
        """The axis that shows all ``values``; some numbers where there are none."""
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        return cls(tuple(ticks(low, high, most)), start, end)

    def __call__(self, value: float) -> float:
        """The pixel of ``value``."""
        low, high = self.ticks[0], self.ticks[-1]
        return round(self.start + (self.end - self.start) * (value - low) / (high - low), 1)

    @property
    def marks(self) -> list[tuple[float, str]]:
        """Pixel and label of each tick."""
        return [(self(value), short(value)) for value in self.ticks]


def short(value: float) -> str:
    """A number in at most four digits, thousands with commas.

    >>> short(0.5), short(12000.0), short(-0.25), short(float("nan"))
    ('0.5', '12,000', '-0.25', 'none')
    """
    if not math.isfinite(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def decimal(value: float) -> str:
    """A measured number as tables have it: three decimals, so that columns can be compared.

    >>> decimal(0.81666), decimal(3), decimal(123456.7)
    ('0.817', '3', '123,457')
    """
    if not math.isfinite(value) or abs(value) >= 1000 or isinstance(value, int):
        return short(value)
    return f"{value:.3f}"


def bins(values: Sequence[float], most: int = 20) -> list[tuple[float, float, int]]:
    """Counts in equal bins with round edges: low, high, count; the last holds its high too.

    >>> bins([0.0, 0.1, 0.5, 1.0], most=2)
    [(0.0, 0.5, 2), (0.5, 1.0, 2)]
    """
    if not values:
        return []
    edges = ticks(min(values), max(values), most)
    width = edges[1] - edges[0]
    counts = [0] * (len(edges) - 1)
    for value in values:
        place = min(int((value - edges[0]) / width + 1e-9), len(counts) - 1)
        counts[place] += 1
    return [(*edge, n) for edge, n in zip(itertools.pairwise(edges), counts, strict=True)]
