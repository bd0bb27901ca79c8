"""What soft weights are worth on groups that they were not fitted to. Needs numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from grm_plugin.errors import InputError
from grm_plugin.evaluation.resampling import Array, Difference, Resampling
from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Scheme, meta_rm, voting
from grm_plugin.evaluation.scaling.weighing import weighing
from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.spct.weight_fitting import Feature, Fitting, fit_weights
from grm_plugin.types import digest

EQUAL = "equal weights"


@dataclass(frozen=True, slots=True)
class Figure:
    """One way to vote at one k, on held-out folds.

    Args:
        name: of the way.
        k: samples that vote.
        accuracy: how often the best response wins, ties broken at random, 0..1.
        gain: over equal weights, paired.
    """

    name: str
    k: int
    accuracy: Estimate
    gain: Difference


def cross_validated(
    samples: Samples,
    values_G: Sequence[Sequence[str]],
    ways: Sequence[tuple[Feature, ...]],
    fitting: Fitting,
    *,
    folds: int = 5,
    drop_below: float = 0.0,
) -> list[Figure]:
    """Each way to weigh, fitted on the other folds, beside equal weights and the meta RM's choice.

    Args:
        samples: of groups with labels.
        values_G: what each group belongs with, as :meth:`Splitting.values` says; a group is in the
            fold of its first value, and weights are fitted on groups that show no value of the
            fold. Intervals keep values together, too.
        ways: the features of each way.
        fitting: how they are fitted; its ks are those that are reported.
        folds: how many.
        drop_below: as in :class:`grm_plugin.pipeline.weighing.Weighing`.

    Raises:
        InputError: nothing is left to fit on, because groups share too many values.
    """
    ks = tuple(k for k in fitting.ks if k <= samples.samples)
    design = Design(ks=ks, seed=fitting.seed)
    right: dict[tuple[str, int], Array] = {}
    for train_G, test_G in _folds(values_G, folds):
        train, test = samples.at(np.nonzero(train_G)[0]), samples.at(np.nonzero(test_G)[0])
        schemes = [voting("mean"), *_choices(samples)]
        for way in ways:
            fitted = fit_weights(train, way, fitting, drop_below=drop_below)
            schemes.append(weighing(name_of(way), fitted.weighing))
        for key, wins in measure(test, schemes, design).items():
            right.setdefault(key, np.full(len(samples.groups), np.nan))[test_G] = wins.random_G
    return _figures(right, Resampling(len(samples.groups), [_clusters(values_G)]))


def name_of(way: Sequence[Feature]) -> str:
    """How reports call weights by these features."""
    return f"weights by {' and '.join(way)}"


def _choices(samples: Samples) -> list[Scheme]:
    """What a meta RM would choose, where there are meta-scores."""
    if np.isnan(samples.meta_G_K).all():
        return []
    return [meta_rm(share) for share in (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))]


def _folds(values_G: Sequence[Sequence[str]], folds: int) -> list[tuple[Array, Array]]:
    """Masks of the groups to fit on and of those held out, in an order that only values decide."""
    ranked = sorted({value for values in values_G for value in values}, key=digest)
    fold_of = {value: place % folds for place, value in enumerate(ranked)}
    shown_G = [[fold_of[value] for value in values] for values in values_G]
    first_G = np.array([shown[0] for shown in shown_G])
    found = [
        (np.array([fold not in shown for shown in shown_G]), first_G == fold)
        for fold in sorted(set(first_G.tolist()))
    ]
    if not all(train_G.any() for train_G, _ in found):
        raise InputError(
            "expected groups to fit on that share no value with those held out, got none; "
            f"values to hold out by: {len(ranked)}"
        )
    return found


def _clusters(values_G: Sequence[Sequence[str]]) -> list[Any]:
    several = any(len(values) > 1 for values in values_G)
    return [list(values) if several else values[0] for values in values_G]


def _figures(right: dict[tuple[str, int], Array], resampling: Resampling) -> list[Figure]:
    return [
        Figure(
            EQUAL if name == "mean" else name,
            k,
            resampling.estimate(right_G),
            resampling.difference(right_G, right["mean", k]),
        )
        for (name, k), right_G in right.items()
    ]
