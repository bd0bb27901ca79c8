"""How well a meta RM tells right judgments from wrong ones, beside what the margin tells."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grm_plugin.evaluation.auc import AUC, auc
from grm_plugin.evaluation.scaling.margin import margins
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.sharing import Sharing
from grm_plugin.evaluation.statistics import quantile
from grm_plugin.spct.examples import correct
from recipes.spct.reference.chain import CLUSTER
from recipes.spct.reference.figures.aims import SAME_MARGIN

_OUTSIDE = 0.025  # of a 95 % interval, on each side


@dataclass(frozen=True, slots=True)
class Rated:
    """One judgment.

    Args:
        group: its number in the slice.
        n: responses.
        margin: by how much its best response leads, points.
        meta: the meta RM's logit.
        right: 1 where it is right by eq. 10, else 0.
    """

    group: int
    n: int
    margin: float
    meta: float
    right: int


def areas(samples: Samples) -> dict[str, AUC]:
    """Each with the wider of the intervals by groups alone and by shared phrasings."""
    rated, sharing = list(_rated(samples)), Sharing([samples.named(CLUSTER)])
    labels = [one.right for one in rated]
    meta, margin = [one.meta for one in rated], [one.margin for one in rated]

    def area(scores: Sequence[float], stratum: Callable[[Rated], Hashable]) -> AUC:
        strata, groups = map(stratum, rated), (one.group for one in rated)
        found = auc(scores, labels, strata=strata, clusters=groups)
        return wider(found, sharing, len(samples.groups))

    return {
        SAME_MARGIN: area(meta, lambda one: (one.n, one.margin)),
        "same group and margin": area(meta, lambda one: (one.group, one.margin)),
        "all pairs": area(meta, lambda one: None),
        "all pairs, the margin in its place": area(margin, lambda one: None),
    }


def ties(samples: Samples) -> dict[str, float]:
    """How many judgments tie at the top, 0..1: of all, and of the one a group that is rated best.

    A tie is always wrong, so a meta RM that chooses should know one.
    """
    meta_G_K, tied_G_K = samples.meta_G_K, margins(samples) == 0
    rated_G_K = ~np.isnan(meta_G_K)
    best_G = np.where(rated_G_K, meta_G_K, -np.inf).argmax(axis=1)
    chosen_G = tied_G_K[np.arange(len(best_G)), best_G][rated_G_K.any(axis=1)]
    return {"of all": float(tied_G_K[rated_G_K].mean()), "rated best": float(chosen_G.mean())}


def wider(found: AUC, sharing: Sharing, groups: int) -> AUC:
    """The same value with the interval by what groups share, where that is the wider one.

    Args:
        found: with a pull of each group, by its number.
        sharing: of the groups.
        groups: how many there are.
    """
    pulls_G = np.array([found.pulls.get(group, 0.0) for group in range(groups)])
    half = quantile(_OUTSIDE, sharing.freedom(pulls_G)) * sharing.error(groups * pulls_G)
    low, high = max(0.0, found.value - half), min(1.0, found.value + half)
    return replace(found, low=low, high=high) if high - low > found.high - found.low else found


def _rated(samples: Samples) -> Iterator[Rated]:
    margin_G_K = margins(samples)
    there_G_K = ~np.isnan(samples.meta_G_K) & ~np.isnan(margin_G_K)
    for group, sample in zip(*np.nonzero(there_G_K), strict=True):
        n = int(samples.sizes_G[group])
        yield Rated(
            group=int(group),
            n=n,
            margin=float(margin_G_K[group, sample]),
            meta=float(samples.meta_G_K[group, sample]),
            right=correct(samples.scores_G_K_N[group, sample, :n].tolist(), samples.best_G[group]),
        )
