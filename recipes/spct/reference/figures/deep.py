"""Figures of 64 samples a group: the meta RM's rules, and samples that end early."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.early import LeadRisks
from grm_plugin.evaluation.scaling.margin import by_margin
from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Scheme, stopping
from recipes.spct.reference.figures.intervals import POINTS, Figure, Slice
from recipes.spct.reference.figures.rules import KS
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


def early(
    slice_: Slice, samples: Samples, error: float, cap: int, design: Design
) -> tuple[list[Figure], float]:
    """What the stopper loses (first) and gains, and the share of samples, 0..1, that it saves.

    Uniform k spends on the groups of each N as much as the stopper does on them. In tokens that is
    more than in samples, where groups that get many samples have longer judgments.
    """
    scheme = stopping("ranking", LeadRisks().stop(error))
    stopped = measure(samples, [scheme], replace(design, ks=(cap,)))[scheme.name, cap]
    all_G = measure(samples, [MEAN], replace(design, ks=(cap,)))[MEAN.name, cap].random_G
    drawn_G, right_G = stopped.drawn_G, stopped.random_G
    figures = [slice_.figure(f"adaptive k - k = {cap}", right_G - all_G)]
    tokens_G = samples.written_G_K.mean(axis=1)
    for cost, weights_G in (("samples", np.ones(len(drawn_G))), ("tokens", tokens_G)):
        means = means_by_n(samples, drawn_G, weights_G)
        told = ", ".join(f"N = {n}: {mean:.1f}" for n, mean in means.items())
        gain_G = right_G - uniform(samples, means, design)
        least = 2.5 if cost == "samples" else None
        name = f"adaptive k - uniform k, equal {cost} ({told})"
        figures.append(slice_.figure(name, gain_G, least=least))
    return figures, 1 - float(drawn_G.mean()) / cap


def means_by_n(samples: Samples, drawn_G: Array, weights_G: Array) -> dict[int, float]:
    """For each N the mean of ``drawn_G``, a group counting as its weight, 0 and more."""
    sizes_G = samples.sizes_G
    return {
        int(n): float(np.average(drawn_G[sizes_G == n], weights=weights_G[sizes_G == n]))
        for n in np.unique(sizes_G)
    }


def uniform(samples: Samples, means: Mapping[int, float], design: Design) -> Array:
    """``right_G`` of the plain vote with the mean k of each N, between two whole k interpolated."""
    right_G = np.empty(len(samples.groups))
    for n, mean in means.items():
        (members,) = np.nonzero(samples.sizes_G == n)
        few, more, share = math.floor(mean), math.ceil(mean), mean % 1
        at = replace(design, ks=tuple(sorted({few, more})))
        votes = measure(samples.at(members), [MEAN], at)
        few_G, more_G = (votes[MEAN.name, k].random_G for k in (few, more))
        right_G[members] = (1 - share) * few_G + share * more_G
    return right_G
