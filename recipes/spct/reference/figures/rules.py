"""Which judgments vote: the meta RM's rules and those of the margin alone, and which is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Scheme, meta_rm, weighted
from grm_plugin.pipeline.weighing import Weighing

WEIGHTS = "weights"
SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
KS = (8, 32)


def margins(samples: Samples) -> Array:
    """``margin_G_K``: by how much the best response leads in each judgment, points; NaN: none."""
    known = np.sort(np.nan_to_num(samples.scores_G_K_N, nan=-np.inf), axis=2)
    two = np.isfinite(known[..., -2])
    return np.where(two, known[..., -1] - np.where(two, known[..., -2], 0.0), np.nan)


def by_margin(samples: Samples) -> Samples:
    """The same judgments, with their margin in the place of the meta-score."""
    return replace(samples, meta_G_K=margins(samples))


def candidates(weighing: Weighing) -> list[Scheme]:
    """The rules among which one is chosen; the weights first, so that they win a tie."""

    def weigh(samples: Samples) -> Array:
        return np.exp(log_weights(samples, weighing))

    return [weighted(WEIGHTS, weigh), *map(meta_rm, SHARES)]


def log_weights(samples: Samples, weighing: Weighing) -> Array:
    """``G_K``, the highest of each group 0; NaN for a judgment that was dropped."""
    margin = margins(samples)
    meta = samples.meta_G_K if weighing.meta else np.zeros(margin.shape)
    log = weighing.log_weight(meta, margin)
    return (
        log - np.nanmax(np.where(np.isnan(log).all(axis=1, keepdims=True), 0, log), axis=1)[:, None]
    )


def choose(samples: Samples, rules: Sequence[Scheme], design: Design) -> dict[int, str]:
    """For each k the name of the rule that is right most often."""
    found = measure(samples, rules, design)
    return {
        k: max(rules, key=lambda rule: float(found[rule.name, k].random_G.mean())).name
        for k in design.ks
    }
