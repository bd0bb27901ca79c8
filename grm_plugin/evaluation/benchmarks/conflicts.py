"""Figures of prompts with many responses, some right: conflict pairs, best of k. Needs numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from grm_plugin.evaluation.best_of_k import best_of_k
from grm_plugin.evaluation.figures import Figure, Mean, Statistic, Weighted, ratio
from grm_plugin.evaluation.items import SUBSET, Item
from grm_plugin.evaluation.outcomes import Ties, credit
from grm_plugin.evaluation.truth import Best, Correct

CONFLICTS = "conflicts"
"""Name in a group's metadata of its pairs of a right and a wrong response: places, from 0 on."""
SIZES = (1, 2, 4, 8, 16, 32)


def accuracy(subset: str, items: Sequence[Item], *, ties: Ties) -> Figure:
    """How often the right response of a conflict pair has the higher reward, 0..1.

    Args:
        subset: whose pairs.
        items: a pair each, or a prompt each with all its responses; those have curves, too.
        ties: what a tie counts.
    """
    where = {SUBSET: subset}
    lists = [one for one in items if one.metadata.get(SUBSET) == subset and _is_list(one)]
    if not lists:
        return Mean(subset, where=where, tie=ties)
    most = max(len(_labels(one)) for one in lists)
    curves = tuple(
        Mean(f"best of {k}, {name}", where=where, value=partial(of, k), share=True)
        for k in SIZES
        if k <= most
        for name, of in (("chosen by its reward", _chosen), ("chosen by its truth", _possible))
    )
    return Statistic(subset, of=partial(_won, ties), where=where, below=curves, tie=ties)


def _is_list(item: Item) -> bool:
    return CONFLICTS in item.metadata


def _labels(item: Item) -> tuple[int, ...]:
    return item.truth.labels_N if isinstance(item.truth, Correct) else ()


def _won(ties: Ties, items: Sequence[Item]) -> Weighted:
    won_G = np.array([sum(_credits(one, ties)) for one in items], dtype=float)
    pairs_G = np.array([len(one.metadata.get(CONFLICTS, ())) for one in items], dtype=float)
    return lambda weights_R_G: ratio(weights_R_G @ won_G, weights_R_G * pairs_G)


def _credits(item: Item, ties: Ties) -> list[float]:
    """Of each conflict pair."""
    rewards, labels = item.rewards, _labels(item)
    found = []
    for i, j in item.metadata.get(CONFLICTS, ()):
        pair = None if rewards is None else (rewards[i], rewards[j])
        found.append(credit(pair, Best((int(labels[j] > labels[i]),)), ties))
    return found


def _chosen(k: int, item: Item) -> float:
    """Quality of the best of k by the rewards; of a prompt without any, that is 0."""
    labels = _labels(item)
    if len(labels) < k:
        return math.nan
    if item.rewards is None:
        return 0.0
    return best_of_k(item.rewards, labels)[k - 1]


def _possible(k: int, item: Item) -> float:
    labels = _labels(item)
    return best_of_k(labels, labels)[k - 1] if len(labels) >= k else math.nan
