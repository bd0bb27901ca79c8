"""Figures of 64 samples a group: the meta RM's rules, and samples that end early."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from grm_plugin.evaluation.scaling.early import LeadRisks
from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Scheme, stopping
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


def early(
    slice_: Slice, samples: Samples, error: float, cap: int, design: Design
) -> tuple[list[Figure], float]:
    """What the stopper loses and gains, and the share of samples, 0..1, that it saves."""
    scheme = stopping("ranking", LeadRisks().stop(error))
    stopped = measure(samples, [scheme], replace(design, ks=(cap,)))[scheme.name, cap]
    drawn, right_G = float(stopped.drawn_G.mean()), stopped.random_G
    low, high, share = math.floor(drawn), math.ceil(drawn), drawn % 1
    votes = measure(samples, [MEAN], replace(design, ks=tuple(sorted({low, high, cap}))))
    few_G, more_G, all_G = (votes[MEAN.name, k].random_G for k in (low, high, cap))
    uniform_G = (1 - share) * few_G + share * more_G
    name = f"adaptive k - uniform k at the mean of {drawn:.1f}"
    figures = [
        slice_.figure(f"adaptive k - k = {cap}", right_G - all_G),
        slice_.figure(name, right_G - uniform_G, least=2.5),
    ]
    return figures, 1 - drawn / cap
