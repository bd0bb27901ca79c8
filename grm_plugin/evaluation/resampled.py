"""Many numbers about the same items under the same resamples: intervals and paired differences.

Needs numpy.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np

from grm_plugin.evaluation.figures import Average, Averaged, Figure, Weighted
from grm_plugin.evaluation.intervals import (
    average_interval,
    for_few_sources,
    overlap,
    share_interval,
)
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.resampling import Array, Difference
from grm_plugin.evaluation.statistics import Estimate

FEWEST = 6
"""Sources that tell a difference: of five that all differ alike, one in sixteen does by chance."""
_CELLS = 1 << 22  # of weights at a time, 32 MB
_NONE = 1e-12  # of a difference, but for rounding


class Resampled:
    """Numbers of G items, over all of them and over R resamples of their sources.

    Args:
        items: G, at least one.
        numbers: by any key, each a function of weights of the items.
        resamples: R.
        level: share of the resampled numbers that an interval holds, 0..1.
        seed: decides the resamples.
    """

    def __init__(
        self,
        items: Sequence[Item],
        numbers: Mapping[Hashable, Weighted],
        *,
        resamples: int = 2000,
        level: float = 0.95,
        seed: int = 0,
    ) -> None:
        self._items, self._level, self._numbers = items, level, dict(numbers)
        numbers = dict(pair for key, of in numbers.items() for pair in _all_of(key, of))
        once = np.ones((1, len(items)))
        self._value = {key: float(of(once)[0]) for key, of in numbers.items()}
        chunks: dict[Hashable, list[Array]] = {key: [] for key in numbers}
        for weights_R_G in source_weights(items, resamples, seed):
            for key, of in numbers.items():
                chunks[key].append(of(weights_R_G))
        self._values_R = {key: np.concatenate(found) for key, found in chunks.items()}

    def estimate(self, key: Hashable, of: Figure | None = None) -> Estimate:
        """A number with its interval; NaN where the items do not say it.

        Args:
            key: of the number.
            of: the figure that it is; None: any number. A share has Wilson's interval, of its
                items and sources, and none of a single source; an average of shares at either end
                the wider of this and of what its parts' come to. Other numbers have percentiles,
                and none where they do not vary.
        """
        value, values_R = self.of(key)
        if of is None or not of.is_share or math.isnan(value):
            low, high = _ends(values_R, self._level)
            return Estimate(value, *((low, high) if low < high else (math.nan, math.nan)))
        if self._sizes(of)[1] < 2:
            return Estimate(value, math.nan, math.nan)
        return self._share(key, of, self._numbers[key])

    def _share(self, key: Hashable, of: Figure, number: Weighted) -> Estimate:
        value, values_R = self.of(key)
        items, sources = self._sizes(of)
        low, high = share_interval(value, values_R, items=items, sources=sources, level=self._level)
        if isinstance(of, Average) and isinstance(number, Averaged):
            lower, higher = self._average(key, of, number)
            low, high = min(low, lower), max(high, higher)
        return Estimate(value, low, high)

    def _average(self, key: Hashable, of: Average, number: Averaged) -> tuple[float, float]:
        keys = [_part(key, place) for place in range(len(of.of))]
        there = [place for place, one in enumerate(keys) if not math.isnan(self._value[one])]
        parts = [self._share(keys[place], of.of[place], number.parts[place]) for place in there]
        shared = overlap([self._sources(of.of[place]) for place in there])
        values_P_R = np.array([self._values_R[keys[place]] for place in there])
        weights_P = number.weights_P[there]
        return average_interval(parts, weights_P / weights_P.sum(), values_P_R, shared)

    def difference(self, first: Hashable, second: Hashable, of: Figure | None = None) -> Difference:
        """By how much ``first`` is larger than ``second``, over the same resamples.

        The resamples are spread as much wider as few sources ask for. Fewer than ``FEWEST`` give
        neither an interval nor a p, and where nothing differs there is no interval.

        Args:
            first, second: keys of numbers.
            of: the figure that both are; None: any number of all items.
        """
        value = self._value[first] - self._value[second]
        apart_R = self._values_R[first] - self._values_R[second]
        there, sources = apart_R[~np.isnan(apart_R)], self._sizes(of)[1]
        if sources < FEWEST or not len(there):
            return Difference(value, math.nan, math.nan, math.nan)
        if np.ptp(there) < _NONE:
            return _alike(value, sources, self._level)
        wide = value + for_few_sources(sources, self._level) * (there - value)
        low, high = _ends(wide, self._level)
        if of is not None and of.is_share:
            low, high = max(low, -1.0), min(high, 1.0)
        return Difference(value, low, high, _two_sided(wide))

    def _sizes(self, of: Figure | None) -> tuple[int, int]:
        """How many items a figure is about, and how many sources they have."""
        if of is None:
            return len(self._items), len({repr(one.source) for one in self._items})
        return int(of.members(self._items).sum()), len(self._sources(of))

    def _sources(self, of: Figure) -> set[str]:
        mine = np.flatnonzero(of.members(self._items))
        return {repr(self._items[index].source) for index in mine}

    def of(self, key: Hashable) -> tuple[float, Array]:
        """A number, and what it is in each of R resamples."""
        return self._value[key], self._values_R[key]


def _all_of(key: Hashable, number: Weighted) -> Iterator[tuple[Hashable, Weighted]]:
    """A number and all that it is made of, by key."""
    yield key, number
    for place, part in enumerate(number.parts if isinstance(number, Averaged) else ()):
        yield from _all_of(_part(key, place), part)


def _part(key: Hashable, place: int) -> Hashable:
    return "part", key, place


def mean_of_independent(
    found: Sequence[tuple[float, Array]], *, level: float = 0.95, seed: int = 0
) -> Estimate:
    """The plain mean of numbers about different items, such as those of several benchmarks.

    Args:
        found: each as :meth:`Resampled.of` gives it, of equally many resamples.
        level: share of the resampled means that the interval holds, 0..1.
        seed: decides which resamples meet.
    """
    rng = np.random.default_rng(seed)
    means_R = np.mean([rng.permutation(values_R) for _, values_R in found], axis=0)
    return Estimate(float(np.mean([value for value, _ in found])), *_ends(means_R, level))


def _ends(values_R: Array, level: float) -> tuple[float, float]:
    there = np.sort(values_R[~np.isnan(values_R)])
    if not len(there):
        return math.nan, math.nan
    outside = round(len(there) * (1 - level) / 2)
    return float(there[outside]), float(there[len(there) - 1 - outside])


def _two_sided(apart_R: Array) -> float:
    """The p of no difference: how often the resamples are on either side of it."""
    side = min(np.count_nonzero(apart_R <= 0), np.count_nonzero(apart_R >= 0))
    return float(min(1.0, 2 * (side + 1) / (len(apart_R) + 1)))


def _alike(value: float, sources: int, level: float) -> Difference:
    """What sources tell that all differ alike: the sign test, and its interval.

    Of the sources to come as many may differ the other way as Clopper and Pearson's interval of a
    share of 1 leaves.
    """
    if abs(value) < _NONE:
        return Difference(value, math.nan, math.nan, 1.0)
    same = ((1 - level) / 2) ** (1 / sources)
    low, high = sorted((value, (2 * same - 1) * value))
    return Difference(value, low, high, 2.0 ** (1 - sources))


def source_weights(items: Sequence[Item], resamples: int, seed: int) -> Iterator[Array]:
    """How often each of G items comes in each resample, some resamples at a time: ``weights_R_G``.

    Sources are drawn, as many as there are; the items of one come together.
    """
    numbers: dict[str, int] = {}
    source_G = np.array([numbers.setdefault(repr(one.source), len(numbers)) for one in items])
    sources, rng = len(numbers), np.random.default_rng(seed)
    rows = max(1, _CELLS // len(items))
    for start in range(0, resamples, rows):
        drawn = rng.integers(sources, size=(min(rows, resamples - start), sources))
        times = np.stack([np.bincount(row, minlength=sources) for row in drawn])
        yield times[:, source_G].astype(float)
