"""Intervals of many means at once, over groups that may belong together. Needs numpy."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grm_plugin.evaluation.sharing import Sharing, name_of, overlaps
from grm_plugin.evaluation.statistics import Estimate, quantile
from grm_plugin.pipeline.overtaking import tail

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference over groups, the interval around it, and how surprising it is.

    ``p`` is the two-sided p-value of no difference, 0..1.
    """

    value: float
    low: float
    high: float
    p: float


class Resampling:
    """How often each of G groups comes in each of R resamples: the same ones for every figure.

    Groups of one cluster come together. With several kinds of clusters that cross, such as the
    phrasing and the source of a question, each kind is drawn for itself, and a group comes as often
    as the product says (the pigeonhole bootstrap of Owen, Ann. Appl. Stat. 1, 2007); that is wide
    rather than narrow. A kind of which there is one cluster only tells nothing and is left out.

    Args:
        clusters: for each kind of cluster the cluster of each group, G each; none: every group
            alone.
        groups: G.
        resamples: R.
        level: share of the resampled numbers that an interval holds, 0..1.
        seed: decides the resamples.
    """

    def __init__(
        self,
        groups: int,
        clusters: Sequence[Sequence[Hashable]] = (),
        *,
        resamples: int = 2000,
        level: float = 0.95,
        seed: int = 0,
    ) -> None:
        if not groups:
            raise ValueError("groups: expected at least one, got none")
        self._level = level
        self._sharing = Sharing(clusters) if any(map(overlaps, clusters)) else None
        if self._sharing:
            return
        kinds = [codes for one in clusters if (codes := _codes(one)).max() > 0]
        kinds = kinds or [np.arange(groups)]
        rng = np.random.default_rng(seed)
        self._weights_R_G = np.ones((resamples, groups))
        for codes_G in kinds:
            number = int(codes_G.max()) + 1
            times = rng.multinomial(number, np.full(number, 1 / number), size=resamples)
            self._weights_R_G *= times[:, codes_G]

    def estimate(self, values_G: Array) -> Estimate:
        """The mean of the values that are there (not NaN), with its interval.

        Raises:
            ValueError: none is there.
        """
        found = self._found(values_G)
        return Estimate(found.value, found.low, found.high)

    def difference(self, values_G: Array, others_G: Array) -> Difference:
        """By how much the first are larger, over the groups that have both.

        Raises:
            ValueError: none has both.
        """
        return self._found(values_G - others_G)

    def _found(self, values_G: Array) -> Difference:
        if np.isnan(values_G).all():
            raise ValueError("values: expected at least one that is no NaN, got none")
        value = float(np.nanmean(values_G))
        if self._sharing:
            return self._of_sharing(self._sharing, value, values_G)
        means = self._means(values_G)
        side = min(np.count_nonzero(means <= 0), np.count_nonzero(means >= 0))
        p = float(min(1.0, 2 * (side + 1) / (len(means) + 1)))
        return Difference(value, *self._interval(means), p)

    def _of_sharing(self, sharing: Sharing, value: float, values_G: Array) -> Difference:
        error, freedom = sharing.error(values_G), sharing.freedom(values_G)
        half = quantile((1 - self._level) / 2, freedom) * error
        p = 2 * tail(abs(value) / error, freedom) if error else float(value == 0)
        return Difference(value, value - half, value + half, p)

    def _means(self, values_G: Array) -> Array:
        there_G = ~np.isnan(values_G)
        counts = self._weights_R_G @ there_G
        sums = self._weights_R_G @ np.where(there_G, values_G, 0.0)
        return np.sort(sums[counts > 0] / counts[counts > 0])

    def _interval(self, means: Array) -> tuple[float, float]:
        outside = round(len(means) * (1 - self._level) / 2)
        return float(means[outside]), float(means[len(means) - 1 - outside])


def _codes(clusters: Sequence[Hashable]) -> Array:
    """Clusters as numbers from 0; whatever JSON holds can be the name of one."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name_of(one), len(numbers)) for one in clusters])
