"""How every number of a judge's health follows from sums over its verdicts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial as bound
from typing import Any

from grm_plugin.evaluation.blocks import Shape, Sums, ratio
from grm_plugin.evaluation.health.meanings import (
    MEANINGS,
    Meaning,
    of_accuracy,
    of_dropped,
    of_lift,
)
from grm_plugin.evaluation.health.positions import places
from grm_plugin.evaluation.health.reliability import (
    krippendorff_alpha,
    mean_votes,
    reliability,
)
from grm_plugin.evaluation.health.traits import correlation, partial
from grm_plugin.reliability import of_k_votes, votes_for
from grm_plugin.types import Reason


@dataclass(frozen=True, slots=True)
class Measure:
    """One number: what it means, and how it follows from sums.

    Args:
        meaning: what it is called, and says.
        of: the number of some sums; NaN where they do not tell it.
        counted: the sum that says how many units it is of.
        shape: how its interval is made.
        then: a monotone function of it and of the ends of its interval; None for itself.
    """

    meaning: Meaning
    of: Callable[[Sums], float]
    counted: str
    shape: Shape = "number"
    then: Callable[[float], float] | None = None


def flips_by_order(sums: Sums) -> float:
    """What flips between orders have beyond flips within one order."""
    groups = sums.get("flips other groups", 0.0)
    return (sums["flips other"] - sums["flips same"]) / groups if groups else math.nan


def reliability_of_mean(sums: Sums) -> float:
    """Of the mean of as many votes as there are."""
    one = reliability(sums)
    return of_k_votes(one, mean_votes(sums)) if one > 0 else one


def place_gap(sums: Sums) -> float:
    """Points between the places with the highest and the lowest scores."""
    lifts = [sums[f"lift {place}"] / sums[f"lifts {place}"] for place in places(sums)]
    return max(lifts) - min(lifts) if lifts else math.nan


def _measure(name: str, of: Callable[[Sums], float], counted: str, *more: Any) -> Measure:
    return Measure(MEANINGS[name], of, counted, *more)


def _share(name: str, some: str, of_all: str) -> Measure:
    return _measure(name, ratio(some, of_all), of_all, "share")


def _correlated(name: str, of: Callable[[Sums], float], counted: str, *more: Any) -> Measure:
    return _measure(name, of, counted, "correlation", *more)


_LENGTH = correlation("length", "trait", "reward")
_TRUE_LENGTH = correlation("length known", "trait", "truth")
_PRAISE = correlation("praise", "trait", "reward")

MEASURES: tuple[Measure, ...] = (
    _measure("place_first", ratio("lift 1", "lifts 1"), "lifts 1"),
    _measure("place_last", ratio("last lift", "placed judgments"), "placed judgments"),
    _measure("place_gap", place_gap, "placed judgments", "none"),
    _share("earlier_wins", "earlier", "earlier groups"),
    _share("flip_rate", "flips other", "flips other groups"),
    _share("flip_rate_same_order", "flips same", "flips other groups"),
    _measure("flips_by_order", flips_by_order, "flips other groups"),
    _share("judgment_tie_rate", "judgment ties", "compared judgments"),
    _share("tie_rate", "ties", "compared"),
    _correlated("length_correlation", _LENGTH, "length groups"),
    _correlated("length_truth", _TRUE_LENGTH, "length known groups"),
    _correlated("length_bias", partial("length"), "length known groups"),
    _share("praise_rate", "praise", "looked at"),
    _correlated("praise_correlation", _PRAISE, "praise groups"),
    _correlated("praise_bias", partial("praise"), "praise known groups"),
    _share("sample_agreement", "agreement", "agreement groups"),
    _correlated("krippendorff_alpha", krippendorff_alpha, "paired votes"),
    _correlated("reliability", reliability, "voted groups"),
    _correlated("reliability_of_mean", reliability_of_mean, "voted groups"),
    _correlated("k_for_80", reliability, "voted groups", bound(votes_for, 0.8)),
    _correlated("k_for_90", reliability, "voted groups", bound(votes_for, 0.9)),
    _share("valid_rate", "valid", "samples"),
    _share("unscored_rate", "unscored", "verdicts"),
    _measure("meta_brier", ratio("rated squares", "rated"), "rated"),
    _measure("meta_too_high", ratio("rated too high", "rated"), "rated"),
)
"""What every record may tell; see also :func:`dropped`, :func:`lift_at`, :func:`accuracy_at`."""


def dropped() -> Iterator[Measure]:
    """The share of samples that was dropped, for each reason."""
    for reason in Reason:
        some = ratio(f"dropped {reason}", "samples")
        yield Measure(of_dropped(reason), some, "samples", "share")


def lift_at(place: int) -> Measure:
    """How far scores at one place lie above the mean of their judgment."""
    return Measure(of_lift(place), ratio(f"lift {place}", f"lifts {place}"), f"lifts {place}")


def accuracy_at(place: int) -> Measure:
    """How often single judgments are right where the best response stands at one place."""
    hits = f"hits {place}"
    return Measure(of_accuracy(place), ratio(f"hit {place}", hits), hits, "share")
