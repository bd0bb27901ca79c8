"""Which judgments vote: the meta RM's rules and those of the margin alone, and which is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Scheme, meta_rm
from grm_plugin.evaluation.scaling.weighing import weighing
from grm_plugin.pipeline.weighing import Weighing

SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
KS = (8, 32)
WEIGHTS = "weights"


def candidates(by: Weighing) -> list[Scheme]:
    """The rules among which one is chosen."""
    return [weighing(WEIGHTS, by), *map(meta_rm, SHARES)]


def choose(samples: Samples, weights: Mapping[int, float]) -> dict[int, str]:
    """For each k of :data:`KS` the name of the rule that is right most often.

    Args:
        samples: of the tuning slice, with what the shares go by as meta-scores.
        weights: accuracy of the weights at each k, 0..1, on folds that they were not fitted to, in
            the same orders as here: those of a :class:`Design` with its defaults.
    """
    found = measure(samples, [meta_rm(share) for share in SHARES], Design(ks=KS))
    shares = {key: float(wins.random_G.mean()) for key, wins in found.items()}
    right = {(WEIGHTS, k): weights[k] for k in KS} | shares  # the first wins a tie
    names = list(dict.fromkeys(name for name, _ in right))
    return {k: max(names, key=lambda name: right[name, k]) for k in KS}
