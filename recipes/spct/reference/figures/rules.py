"""Which judgments vote: the meta RM's rules and those of the margin alone, and which is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Scheme, meta_rm
from grm_plugin.evaluation.scaling.weighing import margins, weighing
from grm_plugin.pipeline.weighing import Weighing

SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
KS = (8, 32)


def by_margin(samples: Samples) -> Samples:
    """The same judgments, with their margin in the place of the meta-score."""
    return replace(samples, meta_G_K=margins(samples))


def candidates(by: Weighing) -> list[Scheme]:
    """The rules among which one is chosen; the weights first, so that they win a tie."""
    return [weighing("weights", by), *map(meta_rm, SHARES)]


def choose(samples: Samples, rules: Sequence[Scheme], design: Design) -> dict[int, str]:
    """For each k the name of the rule that is right most often."""
    found = measure(samples, rules, design)
    return {
        k: max(rules, key=lambda rule: float(found[rule.name, k].random_G.mean())).name
        for k in design.ks
    }
