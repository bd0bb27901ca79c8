"""How well a meta RM tells right judgments from wrong ones, beside what the margin tells."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grm_plugin.evaluation.auc import AUC, auc
from grm_plugin.evaluation.scaling.margin import margins
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.spct.examples import correct
from recipes.spct.reference.chain import CLUSTER
from recipes.spct.reference.figures.aims import SAME_MARGIN


@dataclass(frozen=True, slots=True)
class Rated:
    """One judgment.

    Args:
        group, phrasing: what it belongs with.
        n: responses.
        margin: by how much its best response leads, points.
        meta: the meta RM's logit.
        right: 1 where it is right by eq. 10, else 0.
    """

    group: int
    phrasing: Hashable
    n: int
    margin: float
    meta: float
    right: int


def areas(samples: Samples) -> dict[str, AUC]:
    """Each with the wider of the intervals by groups and by phrasings."""
    rated = list(_rated(samples))
    meta, margin = [one.meta for one in rated], [one.margin for one in rated]
    return {
        SAME_MARGIN: _wider(rated, meta, lambda one: (one.n, one.margin)),
        "same group and margin": _wider(rated, meta, lambda one: (one.group, one.margin)),
        "all pairs": _wider(rated, meta, lambda one: None),
        "all pairs, the margin in its place": _wider(rated, margin, lambda one: None),
    }


def _rated(samples: Samples) -> Iterator[Rated]:
    margin_G_K, phrasings = margins(samples), samples.named(CLUSTER)
    there_G_K = ~np.isnan(samples.meta_G_K) & ~np.isnan(margin_G_K)
    for group, sample in zip(*np.nonzero(there_G_K), strict=True):
        n = int(samples.sizes_G[group])
        yield Rated(
            group=int(group),
            phrasing=phrasings[group],
            n=n,
            margin=float(margin_G_K[group, sample]),
            meta=float(samples.meta_G_K[group, sample]),
            right=correct(samples.scores_G_K_N[group, sample, :n].tolist(), samples.best_G[group]),
        )


def _wider(
    rated: Sequence[Rated], scores: Sequence[float], stratum: Callable[[Rated], Hashable]
) -> AUC:
    labels, strata = [one.right for one in rated], [stratum(one) for one in rated]
    both = (
        auc(scores, labels, strata=strata, clusters=[getattr(one, kind) for one in rated])
        for kind in ("group", "phrasing")
    )
    return max(both, key=lambda one: one.high - one.low)
