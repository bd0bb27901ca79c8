"""How well rewards tell right single responses from wrong ones, as a figure. Needs numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grm_plugin.evaluation.association import auc
from grm_plugin.evaluation.figures import Figure, Statistic, Weighted
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.truth import Correct


def roc_auc(
    name: str, *, where: Mapping[str, Any] | None = None, below: tuple[Figure, ...] = ()
) -> Statistic:
    """The chance, 0..1, that a right response has a higher reward than a wrong one.

    A tie counts one half, as areas under ROC curves have it. A pair of which one has no reward
    counts 0: a judge gains nothing by leaving out what is hard.

    Args:
        name: of the figure.
        where: which items; None: all.
        below: figures to show below it.
    """
    return Statistic(name, of=_auc, where=where or {}, below=below)


def _auc(items: Sequence[Item]) -> Weighted:
    rows = [(label, reward) for item in items for label, reward in _responses(item)]
    owner_P = np.array([i for i, item in enumerate(items) for _ in _responses(item)], dtype=int)
    labels_P = np.array([label for label, _ in rows], dtype=int)
    known_P = np.array([reward is not None for _, reward in rows], dtype=bool)
    rewards_P = np.array([0.0 if reward is None else reward for _, reward in rows], dtype=float)

    def over(weights_R_G: Array) -> Array:
        weights_R_P = weights_R_G[:, owner_P]
        scored = np.nan_to_num(auc(rewards_P, labels_P, weights_R_P * known_P))
        with np.errstate(invalid="ignore"):
            return scored * _pairs(labels_P, weights_R_P * known_P) / _pairs(labels_P, weights_R_P)

    return over


def _responses(item: Item) -> list[tuple[int, float | None]]:
    """Label and reward of each."""
    if not isinstance(item.truth, Correct):
        return []
    rewards = item.rewards or (None,) * len(item.truth.labels_N)
    return list(zip(item.truth.labels_N, rewards, strict=True))


def _pairs(labels_P: Array, weights_R_P: Array) -> Array:
    right_R, wrong_R = ((weights_R_P * (labels_P == one)).sum(axis=1) for one in (1, 0))
    found_R: Array = right_R * wrong_R
    return found_R
