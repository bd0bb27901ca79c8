"""One line of the study's table: a difference with the wider of its two intervals, and its aim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from grm_plugin.evaluation.resampling import Array, Difference, Resampling
from grm_plugin.evaluation.scaling.samples import Samples
from recipes.spct.reference.chain import CLUSTER

POINTS = 100.0
INTERVALS = 11
"""How many intervals are aimed above 0 in the whole study; Holm's rule goes by them."""


@dataclass(frozen=True)
class Figure:
    """What one line came to.

    Args:
        name: what is measured.
        found: points (percent), over both N.
        parts: the same for each N and each seed.
        aim: what was hoped for; empty where it is only reported.
        holds: whether it came out so; None without an aim.
    """

    name: str
    found: Difference
    parts: Mapping[str, Difference] = field(default_factory=dict)
    aim: str = ""
    holds: bool | None = None


class Slice:
    """The groups of one slice, over which figures and their intervals are taken.

    Args:
        samples: of any judge; their groups count.
        resamples: of the bootstrap over groups.
    """

    def __init__(self, samples: Samples, resamples: int) -> None:
        phrasings, sizes_G = samples.named(CLUSTER), samples.sizes_G
        everything = np.arange(len(samples.groups))
        members = {"": everything}
        members |= {f"N = {n}": everything[sizes_G == n] for n in np.unique(sizes_G)}
        self._parts = {
            name: (
                numbers,
                Resampling(len(numbers), resamples=resamples),
                Resampling(len(numbers), [[phrasings[one] for one in numbers]]),
            )
            for name, numbers in members.items()
        }

    def figure(
        self,
        name: str,
        values_G: Array,
        *,
        seeds: Mapping[str, Array] | None = None,
        least: float | None = None,
    ) -> Figure:
        """The mean of ``values_G`` with its intervals.

        Args:
            name: of the line.
            values_G: a difference in each group, as a share; NaN where a group has none.
            seeds: the same of each seed alone.
            least: points that are aimed at, beside an interval above 0; None: no aim.
        """
        found = self.interval(values_G)
        parts = {part: self.interval(values_G, part) for part in self._parts if part}
        parts |= {seed: self.interval(each) for seed, each in (seeds or {}).items()}
        if least is None:
            return Figure(name, found, parts)
        aim = "interval above 0" + (f", at least +{least:g}" if least else "")
        return Figure(name, found, parts, aim, found.low > 0 and found.value >= least)

    def interval(self, values_G: Array, part: str = "") -> Difference:
        """The mean in points, with the wider interval of groups alone and of shared phrasings."""
        members, *ways = self._parts[part]
        values = POINTS * values_G[members]
        both = [way.difference(values, np.zeros(len(values))) for way in ways]
        return max(both, key=lambda one: one.high - one.low)


def holm(figures: list[Figure], level: float = 0.05, *, tests: int = INTERVALS) -> list[str]:
    """Names of aims that hold alone and would not hold by Holm's rule over all ``tests``.

    Those that are not measured yet, or could not be, count as the least sure ones.
    """
    aims = sorted((one for one in figures if one.holds is not None), key=lambda one: one.found.p)
    for rank, one in enumerate(aims):
        if one.found.p > level / (tests - rank):
            return [late.name for late in aims[rank:] if late.holds]
    return []
