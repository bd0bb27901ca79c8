"""How well rewards go with ratings, as figures. Needs numpy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from grm_plugin.evaluation.association import kendall, pearson, spearman
from grm_plugin.evaluation.figures import Statistic, Weighted, ratio
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.selecting import Where
from grm_plugin.evaluation.truth import Ratings

Coefficient = Callable[[Array, Array, Array], Array]
COEFFICIENTS: dict[str, Coefficient] = {
    "Pearson": pearson,
    "Spearman": spearman,
    "Kendall tau-b": kendall,
}


def correlations(title: str, where: Where | None = None) -> Statistic:
    """Spearman's correlation of rewards and ratings, the other coefficients, and within sources.

    Responses without a reward are left out; counts tell how many groups were scored. Within: the
    mean of the coefficients of each source, such as of one prompt, in which both vary.

    Args:
        title: of the figure.
        where: which items; None: all.
    """
    others = [name for name in COEFFICIENTS if name != "Spearman"]
    below = [_statistic(name, over_responses, COEFFICIENTS[name], where) for name in others]
    for name, of in COEFFICIENTS.items():
        below.append(_statistic(f"{name} within a source", _within, of, where))
    return replace(rank_correlation(f"{title}, Spearman", where), below=tuple(below))


def rank_correlation(name: str, where: Where | None = None) -> Statistic:
    """Spearman's correlation of rewards and ratings alone."""
    return _statistic(name, over_responses, spearman, where)


def _statistic(
    name: str,
    way: Callable[[Coefficient, Sequence[Item]], Weighted],
    of: Coefficient,
    where: Where | None,
) -> Statistic:
    return Statistic(name, of=partial(way, of), where=where or {})


def over_responses(coefficient: Coefficient, items: Sequence[Item]) -> Weighted:
    """A coefficient of the rewards and the ratings of all responses that have both."""
    rewards_P, ratings_P, owner_P = _responses(items)
    if len(owner_P) < 2:
        return lambda weights_R_G: np.full(len(weights_R_G), np.nan)
    return lambda weights_R_G: coefficient(rewards_P, ratings_P, weights_R_G[:, owner_P])


def _within(coefficient: Coefficient, items: Sequence[Item]) -> Weighted:
    sources: dict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        sources[repr(item.source)].append(place)
    found = [
        (places[0], _alone(coefficient, [items[place] for place in places]))
        for places in sources.values()
    ]
    varying = [(first, value) for first, value in found if not np.isnan(value)]
    firsts = np.array([first for first, _ in varying], dtype=int)
    values = np.array([value for _, value in varying], dtype=float)

    return lambda weights_R_G: ratio(weights_R_G[:, firsts] @ values, weights_R_G[:, firsts])


def _alone(coefficient: Coefficient, items: Sequence[Item]) -> float:
    return float(over_responses(coefficient, items)(np.ones((1, len(items))))[0])


def _responses(items: Sequence[Item]) -> tuple[Array, Array, Array]:
    """Reward, rating and item of each response that has both."""
    rows = [
        (reward, rating, place)
        for place, item in enumerate(items)
        if isinstance(item.truth, Ratings) and item.rewards is not None
        for reward, rating in zip(item.rewards, item.truth.values_N, strict=True)
        if reward is not None
    ]
    reward, rating, owner = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(reward), np.array(rating), np.array(owner, dtype=int)
