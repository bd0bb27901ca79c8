"""A scalar RM in a study: alone, as a vote beside the judge's, and in front of it in a cascade."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Outcome, Scheme
from grm_plugin.evaluation.scaling.voting import valid_among, vote
from grm_plugin.pipeline.overtaking import SAME
from grm_plugin.pipeline.scalar_voting import joined
from grm_plugin.scalar import WEIGHT
from grm_plugin.types import Scale

_SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
_UNIT = Scale(0, 1)
_IN_UNIT = ("majority", "borda")


@dataclass(frozen=True)
class Beside:
    """How a scalar RM stands beside the samples of a study.

    Args:
        scale: of the judge's scores, in points.
        weight: samples of the judge that its vote counts as.
        voter: how the samples vote.
        in_cascades: the weight in groups that a cascade judges.
    """

    scale: Scale
    weight: float = WEIGHT
    voter: str = "mean"
    in_cascades: float = 0.0

    def points(self, samples: Samples) -> Array:
        """``votes_G_N`` of the scalar RM in the unit of the samples' rewards."""
        low, high = _UNIT if self.voter in _IN_UNIT else self.scale
        return np.asarray(low + (high - low) * samples.scalar_G_N)


def scalar_schemes(samples: Samples, beside: Beside) -> list[Scheme]:
    """The scalar RM alone, with the judge, and deciding three shares of the groups.

    None where no group has scalar scores.
    """
    if np.isnan(samples.scalar_G_N).all():
        return []
    cascades = [cascade(f"cascade {share}", sure_of(share, samples), beside) for share in _SHARES]
    return [alone(), together(beside), *cascades]


def alone() -> Scheme:
    """Rewards are the scalar RM's votes, and no sample is drawn."""

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        return Outcome(*_undrawn(samples, len(orders_O_K)))

    return Scheme("scalar", outcome, scalar=True)


def together(beside: Beside) -> Scheme:
    """The scalar RM's vote counts as some of the judge's, as in ``scalar: {use: vote}``."""

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        return Outcome(_both(beside, beside.weight, samples, k, orders_O_K, min_valid))

    return Scheme(f"{beside.voter} + scalar", outcome, scalar=True)


def cascade(name: str, sure: float, beside: Beside) -> Scheme:
    """The judge is asked about groups of which the scalar RM is not sure, and audits are left out.

    Args:
        name: of the scheme.
        sure: the sureness from which on groups go without the judge; 1: all are judged.
        beside: how the samples of groups that are judged vote.
    """

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        judged = _both(beside, beside.in_cascades, samples, k, orders_O_K, min_valid)
        votes, drawn = _undrawn(samples, len(orders_O_K))
        known_G = ~np.isnan(samples.scalar_G_N).all(axis=1)
        asked_G = known_G & ((_sureness(samples) < sure) | (sure >= 1))
        rewards = np.where(asked_G[None, :, None], judged, votes)
        return Outcome(rewards, np.where(asked_G[None], k, drawn))

    return Scheme(name, outcome, scalar=True, sure=sure)


def thresholds(schemes: Iterable[Scheme]) -> dict[str, float]:
    """The ``sure`` of every cascade among ``schemes``, by its name."""
    return {one.name: one.sure for one in schemes if one.sure is not None}


def judge_accuracies(schemes: Iterable[Scheme], samples: Samples) -> dict[str, float]:
    """How often the judge is right where each cascade would not ask it, by the cascade's name.

    Of the pairs of the right response and another the share, 0..1, that the mean of all samples
    puts in their order, a tie counting one half; a mean over groups. A cascade that judges all
    groups, or in whose other groups nothing is known, has none.
    """
    right_G, sureness_G = _right_pairs(samples), _sureness(samples)
    sure = {
        name: right_G[(sureness_G >= threshold) & ~np.isnan(right_G)]
        for name, threshold in thresholds(schemes).items()
        if threshold < 1
    }
    return {name: float(found.mean()) for name, found in sure.items() if len(found)}


def _right_pairs(samples: Samples) -> Array:
    """Of each group the share of the right response's pairs that the judge puts in order."""
    means_G_N = _mean(samples.scores_G_K_N)
    right = np.arange(len(means_G_N)), samples.best_G
    leads_G_N = means_G_N[right][:, None] - means_G_N
    leads_G_N[right] = np.nan  # it is no pair with itself
    leads_G_N[abs(leads_G_N) <= SAME] = 0
    return _mean(0.5 + np.sign(leads_G_N) / 2)


def _mean(values: Array) -> Array:
    """Along the second axis, of what is known."""
    known = ~np.isnan(values)
    counts = known.sum(axis=1)
    return np.asarray(np.where(known, values, 0).sum(axis=1) / np.where(counts, counts, np.nan))


def sure_of(share: Fraction, samples: Samples) -> float:
    """The threshold below which the sureness of a share, 0..1, of the groups lies."""
    return float(np.quantile(_sureness(samples), float(share), method="higher"))


def _both(
    beside: Beside,
    weight: float,
    samples: Samples,
    k: int,
    orders_O_K: Array,
    min_valid: int | None,
) -> Array:
    """Rewards of judge and scalar RM together; without a scalar score there is none."""
    scores, voter = samples.scores_G_K_N, beside.voter
    judged = vote(scores, k, orders_O_K, voter=voter, min_valid=min_valid)
    votes = valid_among(scores, k, orders_O_K)[..., None]
    more = weight * beside.points(samples)
    return np.asarray(
        joined(judged, more, np.where(votes > 0, votes, np.nan), weight, voter == "sum")
    )


def _sureness(samples: Samples) -> Array:
    """Of each group; one of which nobody knows is judged first."""
    return np.nan_to_num(samples.sureness_G, nan=0.0)


def _undrawn(samples: Samples, orders: int) -> tuple[Array, Array]:
    """The scalar RM's votes for every order of the samples, of which none is drawn."""
    shape = (orders, *samples.scalar_G_N.shape)
    return np.broadcast_to(samples.scalar_G_N, shape), np.zeros(shape[:2], dtype=int)
