"""Sums over verdicts in blocks, from which figures get their intervals: one pass, flat memory.

A figure of a judge's health is a smooth function of sums over verdicts. What belongs together is
summed in one block, and a figure without each block in turn tells how far off it is: the
delete-a-group jackknife (Kott, J. Off. Stat. 17, 2001). With more clusters than blocks several
share one, which costs a little precision and no validity.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from grm_plugin.evaluation.items import SOURCE
from grm_plugin.evaluation.statistics import Estimate, quantile
from grm_plugin.pipeline.overtaking import tail
from grm_plugin.types import Group
from grm_plugin.types.training import STEP

Sums = Mapping[str, float]
"""What verdicts add up to, by name; a name that is not there is 0."""

Shape = Literal["share", "correlation", "number", "none"]
"""How an interval is made: Wilson's, Fisher's, symmetric, or not at all."""

MOST = 256
"""The most blocks; the first so many clusters have one each."""

_LEVEL = 0.95
_FEWEST = {"correlation": 8}  # blocks: of very few, correlations are 1 or -1 whichever is left out


class Clusters:
    """Which block a cluster belongs to.

    Args:
        most: blocks; the first so many clusters have one each.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._numbers: dict[str, int] = {}

    def number(self, cluster: str) -> int:
        """The block of a cluster, from 0 on; always the same."""
        known = self._numbers.get(cluster)
        if known is not None:
            return known
        if len(self._numbers) >= self._most:
            return zlib.crc32(cluster.encode(errors="surrogatepass")) % self._most
        return self._numbers.setdefault(cluster, len(self._numbers))


def cluster_of(group: Group) -> str:
    """What a group belongs with: its ``source``, else whatever asks the same.

    A training run asks the same prompts again, of which a policy makes other responses each time.
    """
    source = group.metadata.get(SOURCE)
    if source not in (None, ""):
        return json.dumps(source, sort_keys=True, default=repr)
    if group.metadata.get(STEP) is None:
        return group.fingerprint
    return "\n".join(turn.content for turn in group.conversation)


class Blocks:
    """Sums by block, and over all."""

    def __init__(self) -> None:
        self._clusters = Clusters()
        self._blocks: dict[int, dict[str, float]] = {}

    def add(self, cluster: str, sums: Sums) -> int:
        """Add the sums of one verdict to the block of its cluster, whose number is returned."""
        number = self._clusters.number(cluster)
        block = self._blocks.setdefault(number, {})
        for name, value in sums.items():
            block[name] = block.get(name, 0.0) + value
        return number

    def totals(self) -> Totals:
        """The sums over all blocks, and over all but one."""
        return Totals.of(list(self._blocks.values()))


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all blocks, and each block with the sums over all others."""

    all: Sums
    blocks: tuple[tuple[Sums, Sums], ...]

    @classmethod
    def of(cls, blocks: Sequence[Sums]) -> Totals:
        """The totals of the sums of some blocks."""
        names = dict.fromkeys(name for block in blocks for name in block)
        total = {name: sum(block.get(name, 0.0) for block in blocks) for name in names}
        rests = [
            {name: value - block.get(name, 0.0) for name, value in total.items()}
            for block in blocks
        ]
        return cls(total, tuple(zip(blocks, rests, strict=True)))

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
        value, found = of(self.all), self._without_each(of, counted)
        told = math.isfinite(value) and all(map(math.isfinite, found))
        if shape == "none" or len(found) < _FEWEST.get(shape, 2) or not told:
            return Estimate(value, math.nan, math.nan)
        error, t = jackknife_error(found), _student(level, len(found) - 1)
        if not math.isfinite(error):  # of numbers that no float can hold the square of
            return Estimate(value, math.nan, math.nan)
        return Estimate(value, *_ends(shape, value, error, t, len(found)))

    def surprise(self, of: Callable[[Sums], float], counted: str) -> float:
        """The two-sided p-value of 0 for a figure, 0..1; NaN where there is too little to tell.

        Args:
            of, counted: as in :meth:`estimate`.
        """
        value, found = of(self.all), self._without_each(of, counted)
        if len(found) < 2 or not all(map(math.isfinite, (value, *found))):
            return math.nan
        error = jackknife_error(found)
        return 2 * tail(abs(value) / error, len(found) - 1) if error else float(value == 0)

    def _without_each(self, of: Callable[[Sums], float], counted: str) -> list[float]:
        return [of(rest) for block, rest in self.blocks if block.get(counted)]


def jackknife_error(values_B: list[float]) -> float:
    """The standard error of a figure from its values without each of B >= 2 blocks.

    Of a mean it is the usual one:

    >>> means = [(2 + 6) / 2, (1 + 6) / 2, (1 + 2) / 2]
    >>> round(jackknife_error(means), 6) == round(math.sqrt(7 / 3), 6)
    True
    """
    middle = sum(values_B) / len(values_B)
    squares = sum((value - middle) * (value - middle) for value in values_B)
    return math.sqrt((len(values_B) - 1) / len(values_B) * squares)


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
