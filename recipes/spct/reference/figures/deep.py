"""Figures of 64 samples a group: the meta RM's rules, its AUC, and samples that end early."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from grm_plugin.evaluation.auc import AUC, auc
from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.early import LeadRisks
from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Scheme, stopping
from grm_plugin.evaluation.scaling.weighing import margins
from recipes.spct.reference.chain import CLUSTER
from recipes.spct.reference.figures.intervals import POINTS, Figure, Slice
from recipes.spct.reference.figures.rules import KS, by_margin
from recipes.spct.reference.figures.wide import MEAN


def meta_rules(
    slice_: Slice,
    samples: Samples,
    rules: Mapping[int, Scheme],
    margin_rules: Mapping[int, Scheme],
    design: Design,
) -> Iterator[Figure]:
    """The chosen rules against the plain vote, and against those of the margin alone.

    Args:
        slice_: the groups.
        samples: with meta-scores.
        rules: for each k the one that was chosen with them.
        margin_rules: the same, chosen with margins in the place of meta-scores.
        design: the orders.
    """
    by_lead = by_margin(samples)
    for k in KS:
        at = replace(design, ks=(k,))
        vote = measure(samples, [MEAN], at)[MEAN.name, k].random_G
        meta = measure(samples, [rules[k]], at)[rules[k].name, k].random_G
        margin = measure(by_lead, [margin_rules[k]], at)[margin_rules[k].name, k].random_G
        yield slice_.figure(f"meta@{k} ({rules[k].name}) - vote@{k}", meta - vote, least=0.0)
        yield slice_.figure(f"margin@{k} ({margin_rules[k].name}) - vote@{k}", margin - vote)
        yield slice_.figure(f"meta@{k} - margin@{k}", meta - margin, least=0.0)


def curve(samples: Samples, scheme: Scheme, design: Design) -> dict[int, float]:
    """Accuracy in percent at each k of the design."""
    found = measure(samples, [scheme], design)
    return {k: POINTS * float(found[scheme.name, k].random_G.mean()) for k in design.ks}


def areas(samples: Samples) -> dict[str, AUC]:
    """How well the meta-scores, and the margins, tell right judgments from wrong ones.

    Each has the wider interval of groups and of phrasings.
    """
    groups_G, phrasings_G = np.arange(len(samples.groups)), _codes(samples.named(CLUSTER))
    margin_G_K, right_G_K = margins(samples), _right(samples)
    there = ~np.isnan(samples.meta_G_K) & ~np.isnan(margin_G_K)
    of_group, of_phrasing, sizes = (
        np.broadcast_to(each[:, None], there.shape)[there].tolist()
        for each in (groups_G, phrasings_G, samples.sizes_G)
    )
    meta, margin = samples.meta_G_K[there].tolist(), margin_G_K[there].tolist()
    right = right_G_K[there].astype(int).tolist()
    alike = list(zip(sizes, margin, strict=True))

    def wider(scores: list[float], strata: list[object] | None) -> AUC:
        both = (
            auc(scores, right, strata=strata, clusters=each) for each in (of_group, of_phrasing)
        )
        return max(both, key=lambda one: one.high - one.low)

    return {
        "same N and margin": wider(meta, list(alike)),
        "same group and margin": wider(meta, list(zip(of_group, margin, strict=True))),
        "all pairs": wider(meta, None),
        "all pairs, the margin in its place": wider(margin, None),
    }


def early(
    slice_: Slice, samples: Samples, error: float, cap: int, design: Design
) -> tuple[list[Figure], float]:
    """What the stopper loses and gains, and the share of samples, 0..1, that it saves."""
    scheme = stopping("ranking", LeadRisks().stop(error))
    stopped = measure(samples, [scheme], replace(design, ks=(cap,)))[scheme.name, cap]
    drawn = float(stopped.drawn_G.mean())
    low, high, share = math.floor(drawn), math.ceil(drawn), drawn % 1
    votes = measure(samples, [MEAN], replace(design, ks=tuple(sorted({low, high, cap}))))
    uniform = (1 - share) * votes["mean", low].random_G + share * votes["mean", high].random_G
    against = {"fixed k": votes["mean", cap].random_G, "uniform k at equal mean k": uniform}
    lost, gained = against.values()
    return [
        slice_.figure(f"adaptive k - k = {cap}", stopped.random_G - lost),
        slice_.figure(
            f"adaptive k - uniform k at the mean of {drawn:.1f}",
            stopped.random_G - gained,
            least=2.5,
        ),
    ], 1 - drawn / cap


def _right(samples: Samples) -> Array:
    """``right_G_K``: eq. 10; the labelled best response scores above every other."""
    scores = np.nan_to_num(samples.scores_G_K_N, nan=-np.inf)
    best = np.take_along_axis(scores, samples.best_G[:, None, None], axis=2)[..., 0]
    others = scores.copy()
    np.put_along_axis(others, samples.best_G[:, None, None], -np.inf, axis=2)
    return best > others.max(axis=2)


def _codes(names: list[object]) -> Array:
    return np.unique([str(name) for name in names], return_inverse=True)[1]
