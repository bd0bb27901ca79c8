"""Sums and differences of figures. Needs numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from grm_plugin.evaluation.figures import Average, Figure, Weighted
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.resampling import Array


@dataclass(frozen=True)
class Sum(Average):
    """The sum of figures, each times its weight; a part that no item says adds nothing."""

    @property
    def is_share(self) -> bool:
        return False

    def over(self, items: Sequence[Item]) -> Weighted:
        parts = [one.over(items) for one in self.of]
        weights_P = np.array(self.weights or [1.0] * len(parts))

        def summed(weights_R_G: Array) -> Array:
            values_R_P = np.stack([one(weights_R_G) for one in parts], axis=1)
            sums_R: Array = np.nan_to_num(values_R_P) @ weights_P
            return np.where(np.isnan(values_R_P).all(axis=1), np.nan, sums_R)

        return summed


@dataclass(frozen=True)
class Less(Figure):
    """One figure less another, over the same resamples.

    Args:
        name: as people read it.
        one, other: the two; neither is shown below it.
    """

    one: Figure = field(kw_only=True)
    other: Figure = field(kw_only=True)

    def members(self, items: Sequence[Item]) -> Array:
        of_G: Array = self.one.members(items) | self.other.members(items)
        return of_G

    def over(self, items: Sequence[Item]) -> Weighted:
        one, other = self.one.over(items), self.other.over(items)
        return lambda weights_R_G: one(weights_R_G) - other(weights_R_G)
