"""The numbers of a benchmark as a tree: means over items, and what is made of them. Needs numpy.

Every figure can be had for many weightings of the items at once, so that one set of resamples gives
all numbers of the tree their intervals, with all that parts share.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.outcomes import Outcome, Ties, credit, credit_of
from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.selecting import Where, selected

Weighted = Callable[[Array], Array]
"""``weights_R_G -> values_R``: a figure for each of R weightings of G items; NaN where the items
with a weight do not say it."""
Value = Callable[[Item], float]
Decide = Callable[[Item], Outcome | None]


@dataclass(frozen=True)
class Figure(ABC):
    """A number about judged items, and those that it is made of or that are shown below it.

    Args:
        name: as people read it.
        lower_is_better: as of a rate of errors.
    """

    name: str
    lower_is_better: bool = field(default=False, kw_only=True)

    @property
    def ties(self) -> Ties | None:
        """What a tie counts in it; None where it is no matter of outcomes."""
        return None

    @property
    def is_share(self) -> bool:
        """Whether it is a share of outcomes, 0..1, or a mean of such shares."""
        return self.ties is not None

    @property
    def parts(self) -> tuple[Figure, ...]:
        """Figures below it."""
        return ()

    @abstractmethod
    def members(self, items: Sequence[Item]) -> Array:
        """``of_G``: which of the items it is about."""

    @abstractmethod
    def over(self, items: Sequence[Item]) -> Weighted:
        """The figure over ``items``, as a function of their weights."""

    def values(self, items: Sequence[Item]) -> Array | None:
        """``values_G``: of each item alone, NaN for none; None of what is no mean over items."""
        return None

    def outcome_of(self, item: Item) -> Outcome | None:
        """What an item came to by its rule; None where that is no matter of outcomes."""
        return item.outcome

    def missing(self, items: Sequence[Item]) -> tuple[str, ...]:
        """The names of parts that it is made of and that have no value."""
        return ()


@dataclass(frozen=True)
class Mean(Figure):
    """The mean over some of the items.

    Args:
        name: as people read it.
        where: which items; empty: all.
        tie: what a tie counts; None: nothing (``strict``).
        value: of an item, NaN for none; None: its credit, 0..1.
        decide: what an item came to, by another rule than its rewards; None: by them.
        share: whether ``value`` is 0..1, though no matter of ties.
        below: figures to show below it, such as one for each subset; it is not made of them.
    """

    where: Where = field(default_factory=dict)
    tie: Ties | None = None
    value: Value | None = None
    below: tuple[Figure, ...] = ()
    decide: Decide | None = None
    share: bool = field(default=False, kw_only=True)

    @property
    def ties(self) -> Ties | None:
        return self.tie if self.value is not None else self.tie or "strict"

    @property
    def is_share(self) -> bool:
        return self.share or self.ties is not None

    @property
    def parts(self) -> tuple[Figure, ...]:
        return self.below

    def members(self, items: Sequence[Item]) -> Array:
        return selected(items, self.where)

    def values(self, items: Sequence[Item]) -> Array:
        values_G: Array = np.full(len(items), np.nan)
        mine = np.flatnonzero(self.members(items))
        values_G[mine] = [self._of(items[index]) for index in mine]
        return values_G

    def over(self, items: Sequence[Item]) -> Weighted:
        values_G = self.values(items)
        there = np.flatnonzero(~np.isnan(values_G))
        values = values_G[there]
        return lambda weights_R_G: ratio(weights_R_G[:, there] @ values, weights_R_G[:, there])

    def outcome_of(self, item: Item) -> Outcome | None:
        return self.decide(item) if self.decide else item.outcome

    def _of(self, item: Item) -> float:
        if self.value is not None:
            return self.value(item)
        if self.decide:
            return credit_of(self.decide(item), self.tie or "strict")
        return credit(item.rewards, item.truth, self.tie or "strict")


@dataclass(frozen=True)
class Averaged:
    """An average of P weighted numbers, without those that the items do not say."""

    parts: tuple[Weighted, ...]
    weights_P: Array

    def __call__(self, weights_R_G: Array) -> Array:
        values_R_P = np.stack([one(weights_R_G) for one in self.parts], axis=1)
        there_R_P = ~np.isnan(values_R_P)
        sums_R = np.where(there_R_P, values_R_P, 0.0) @ self.weights_P
        return ratio(sums_R, there_R_P * self.weights_P)


@dataclass(frozen=True)
class Average(Figure):
    """The average of figures, each with a weight that does not depend on how many items it has.

    Args:
        name: as people read it.
        of: the figures.
        weights: of each; None: all alike.
        whole: whether it is no number when one of the figures is none, say as no item is about it.
            Otherwise the others make it, and ``missing`` names that one.
        below: further figures to show below it; it is not made of them.
    """

    of: tuple[Figure, ...] = ()
    weights: tuple[float, ...] | None = None
    whole: bool = False
    below: tuple[Figure, ...] = ()

    @property
    def ties(self) -> Ties | None:
        found = {one.ties for one in self.of}
        return found.pop() if len(found) == 1 else None

    @property
    def is_share(self) -> bool:
        return all(one.is_share for one in self.of)

    @property
    def parts(self) -> tuple[Figure, ...]:
        return (*self.of, *self.below)

    def members(self, items: Sequence[Item]) -> Array:
        of_G: Array = np.any([one.members(items) for one in self.of], axis=0)
        return of_G

    def missing(self, items: Sequence[Item]) -> tuple[str, ...]:
        once = np.ones((1, len(items)))
        return tuple(one.name for one in self.of if np.isnan(one.over(items)(once)[0]))

    def over(self, items: Sequence[Item]) -> Weighted:
        parts, once = [one.over(items) for one in self.of], np.ones((1, len(items)))
        if self.whole and any(np.isnan(one(once)[0]) for one in parts):
            return lambda weights_R_G: np.full(len(weights_R_G), np.nan)
        return Averaged(tuple(parts), np.array(self.weights or [1.0] * len(parts)))


@dataclass(frozen=True)
class Statistic(Figure):
    """Any other number, such as an area under a ROC curve.

    Args:
        name: as people read it.
        of: those items to the number as a function of their weights.
        where: which items; empty: all.
        below: figures to show below it.
        tie: what a tie counts in it; None where it is no matter of outcomes.
    """

    of: Callable[[Sequence[Item]], Weighted] = field(kw_only=True)
    where: Where = field(default_factory=dict)
    below: tuple[Figure, ...] = ()
    tie: Ties | None = None

    @property
    def ties(self) -> Ties | None:
        return self.tie

    @property
    def parts(self) -> tuple[Figure, ...]:
        return self.below

    def members(self, items: Sequence[Item]) -> Array:
        return selected(items, self.where)

    def over(self, items: Sequence[Item]) -> Weighted:
        mine = np.flatnonzero(self.members(items))
        found = self.of([items[index] for index in mine])
        return lambda weights_R_G: found(weights_R_G[:, mine])


def each_of(items: Sequence[Item], key: str, **mean: Any) -> tuple[Mean, ...]:
    """A mean for each value that the metadata of items has under ``key``, in their order.

    Args:
        items: judged.
        key: such as ``subset``; items that have none are left out.
        mean: further arguments of :class:`Mean`; its ``where`` is added to.
    """
    where = mean.pop("where", {})
    named = [items[index] for index in np.flatnonzero(selected(items, where))]
    values = dict.fromkeys(str(one.metadata[key]) for one in named if one.metadata.get(key))
    return tuple(Mean(one, where={**where, key: one}, **mean) for one in values)


def ratio(sums_R: Array, weights_R_P: Array) -> Array:
    """Sums over what has a weight; NaN where nothing has."""
    totals_R = weights_R_P.sum(axis=1, dtype=float)
    ratios_R: Array = np.full(len(sums_R), np.nan)
    np.divide(sums_R, totals_R, out=ratios_R, where=totals_R > 0)
    return ratios_R
