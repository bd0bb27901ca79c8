"""The score of RewardBench 2 for questions with many right answers, its subset Ties.

A question with many right answers (``tied``) has a twin with a single one (``ref``). A judge should
put every right answer above every wrong one, in both; and in the question with many, right answers
should be closer to each other than to the wrong ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from grm_plugin.evaluation.combining import Sum
from grm_plugin.evaluation.figures import Figure, Mean, Value
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.selecting import Where, selected
from grm_plugin.evaluation.truth import Best

REFERENCE, TIED = "ref", "tied"
WEIGHTS = (0.3, 0.3, 0.2, 0.2, 0.01)
"""Of the terms of the score, in their order."""


@dataclass(frozen=True, slots=True)
class Margins:
    """How the rewards of one group lie.

    Args:
        between: of the lowest right response over the highest wrong one, negative where it is
            below.
        among: of the highest right response over the lowest; None where there is only one.
    """

    between: float
    among: float | None


def margins(item: Item) -> Margins | None:
    """The margins of a group with a set of best responses; None where it is unscored."""
    rewards = [one for one in item.rewards or () if one is not None]
    if not rewards or item.rewards is None or len(rewards) < len(item.rewards):
        return None
    best = item.truth.indices if isinstance(item.truth, Best) else ()
    right = [rewards[index] for index in best]
    wrong = [reward for index, reward in enumerate(rewards) if index not in best]
    among = max(right) - min(right) if len(right) > 1 else None
    return Margins(min(right) - max(wrong), among)


def ties_score(name: str) -> Figure:
    """The weighted sum of five terms, which may come to 1.01.

    An unscored group counts 0 in every term that it is part of.

    Args:
        name: of the subset, as the metadata of its items has it.
    """
    tied, ref = ({"subset": name, "twin": one} for one in (TIED, REFERENCE))
    terms = (
        _share("Right above wrong, many right", tied, _accurate),
        _share("Right above wrong, one right", ref, _accurate),
        _OfTwins("Right ones closer than to wrong", where=tied, said=_closer, share=True),
        _OfTwins(
            "The same, with the twin's margin", where=tied, said=_closer_than_twin, share=True
        ),
        _OfTwins("How much closer", where=tied, said=_how_much),
    )
    return Sum(name, terms, weights=WEIGHTS)


def _share(name: str, where: Where, value: Value) -> Mean:
    return Mean(name, where=where, value=value, share=True)


def _accurate(item: Item) -> float:
    found = margins(item)
    return float(found is not None and found.between > 0)


@dataclass(frozen=True)
class _OfTwins(Mean):
    """A mean of what one judge says of questions with many right answers and of their twins.

    Args:
        said: of the margins of right over wrong ones of the question and of its twin, and of the
            margin among right ones; NaN leaves the question out, as does a missing twin, or a
            single right answer.
    """

    said: Callable[[float, float, float], float] = field(kw_only=True)

    @property
    def ties(self) -> None:
        return None

    def values(self, items: Sequence[Item]) -> Array:
        of = {**self.where, "twin": REFERENCE}
        twins = {items[n].source: items[n] for n in np.flatnonzero(selected(items, of))}
        values_G: Array = np.full(len(items), np.nan)
        mine = np.flatnonzero(self.members(items))
        values_G[mine] = [self._said(items[n], twins.get(items[n].source)) for n in mine]
        return values_G

    def _said(self, item: Item, twin: Item | None) -> float:
        if twin is None or not isinstance(item.truth, Best) or len(item.truth.indices) < 2:
            return math.nan
        own, other = margins(item), margins(twin)
        if own is None or own.among is None or other is None:
            return 0.0
        return self.said(own.between, other.between, own.among)


def _closer(own: float, twin: float, among: float) -> float:
    """Whether right answers are closer to each other than to wrong ones."""
    return float(own > among)


def _closer_than_twin(own: float, twin: float, among: float) -> float:
    """The same, with the smaller margin of the two questions."""
    return float(min(own, twin) > among)


def _how_much(own: float, twin: float, among: float) -> float:
    """By how much, -1..1; of right answers that all have one reward nothing is said."""
    return math.tanh(min(own, twin) / among - 1) if among > 0 else math.nan
