"""Sums over verdicts in blocks, from which figures get their intervals: one pass, flat memory.

A figure of a judge's health is a smooth function of sums over verdicts. What belongs together is
summed in one block, and a figure without each block in turn tells how far off it is: the
delete-a-group jackknife (Kott, J. Off. Stat. 17, 2001). With more clusters than blocks several
share one, which costs a little precision and no validity.
"""

from __future__ import annotations

import math
import statistics
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from grm_plugin.evaluation.statistics import Estimate, quantile

Sums = Mapping[str, float]
"""What verdicts add up to, by name; a name that is not there is 0."""

Shape = Literal["share", "correlation", "number", "none"]
"""How an interval is made: Wilson's, Fisher's, symmetric, or not at all."""

MOST = 256
"""The most blocks; the first so many clusters have one each."""

_LEVEL = 0.95


class Blocks:
    """Sums by block, and over all."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._blocks: dict[int, dict[str, float]] = {}

    def add(self, cluster: str, sums: Sums) -> int:
        """Add the sums of one verdict to the block of its cluster, whose number is returned."""
        number = self._number(cluster)
        block = self._blocks.setdefault(number, {})
        for name, value in sums.items():
            block[name] = block.get(name, 0.0) + value
        return number

    def _number(self, cluster: str) -> int:
        known = self._numbers.get(cluster)
        if known is not None:
            return known
        if len(self._numbers) >= MOST:
            return zlib.crc32(cluster.encode()) % MOST
        return self._numbers.setdefault(cluster, len(self._numbers))

    def totals(self) -> Totals:
        """The sums over all blocks, and over all but one."""
        blocks = list(self._blocks.values())
        names = dict.fromkeys(name for block in blocks for name in block)
        total = {name: math.fsum(block.get(name, 0.0) for block in blocks) for name in names}
        rests = [
            {name: value - block.get(name, 0.0) for name, value in total.items()}
            for block in blocks
        ]
        return Totals(total, tuple(zip(blocks, rests, strict=True)))


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all blocks, and each block with the sums over all others."""

    all: Sums
    blocks: tuple[tuple[Sums, Sums], ...]

    def estimate(
        self,
        of: Callable[[Sums], float],
        counted: str,
        shape: Shape = "number",
        level: float = _LEVEL,
    ) -> Estimate:
        """A figure with its interval; NaN where there is nothing to tell it from.

        Args:
            of: the figure of some sums; NaN where they do not tell it.
            counted: the sum that says how many units the figure is of.
            shape: a ``share`` stays within 0..1, a ``correlation`` within -1..1.
            level: share of such intervals that hold the true figure, 0..1.
        """
        value = of(self.all)
        found = [of(rest) for block, rest in self.blocks if block.get(counted)]
        told = math.isfinite(value) and all(map(math.isfinite, found))
        if shape == "none" or len(found) < 2 or not told:
            return Estimate(value, math.nan, math.nan)
        error, t = jackknife_error(found), _student(level, len(found) - 1)
        return Estimate(value, *_ends(shape, value, error, t, len(found)))


def jackknife_error(values_B: list[float]) -> float:
    """The standard error of a figure from its values without each of B >= 2 blocks.

    Of a mean it is the usual one:

    >>> means = [(2 + 6) / 2, (1 + 6) / 2, (1 + 2) / 2]
    >>> math.isclose(jackknife_error(means), statistics.stdev([1, 2, 6]) / math.sqrt(3))
    True
    """
    return math.sqrt((len(values_B) - 1) * statistics.pvariance(values_B))


def ratio(above: str, below: str) -> Callable[[Sums], float]:
    """The figure that is one sum over another; NaN where that is 0."""

    def of(sums: Sums) -> float:
        under = sums.get(below, 0.0)
        return sums.get(above, 0.0) / under if under else math.nan

    return of


def _ends(shape: Shape, value: float, error: float, t: float, blocks: int) -> tuple[float, float]:
    if shape == "share":
        return _wilson(value, error, t, blocks)
    if shape == "correlation" and abs(value) < 1:
        z, half = math.atanh(value), t * error / (1 - value * value)
        return math.tanh(z - half), math.tanh(z + half)
    return value - t * error, value + t * error


def _wilson(share: float, error: float, t: float, blocks: int) -> tuple[float, float]:
    """Wilson's interval for as many independent units as would have this error.

    A share of 0 or 1 shows no error; then each block counts as one unit, which is never too many.
    """
    spread = share * (1 - share)
    units = spread / error**2 if spread > 0 and error > 0 else float(blocks)
    middle = (share + t * t / (2 * units)) / (1 + t * t / units)
    half = t / (1 + t * t / units) * math.sqrt(spread / units + (t / (2 * units)) ** 2)
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


@lru_cache(maxsize=1024)
def _student(level: float, freedom: int) -> float:
    return quantile((1 - level) / 2, freedom)
