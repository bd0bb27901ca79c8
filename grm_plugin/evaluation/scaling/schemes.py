"""Ways in which samples come to rewards: votes, the meta RM's choice, weights, early stops."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.margin import by_margin
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.voting import select, vote

_SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))


@dataclass(frozen=True)
class Outcome:
    """What the samples of each order and group come to.

    Args:
        rewards_O_G_N: NaN where there is no reward.
        drawn_O_G: how many samples were drawn; None: k.
    """

    rewards_O_G_N: Array
    drawn_O_G: Array | None = None


@dataclass(frozen=True)
class Scheme:
    """One way, by its name in reports.

    Args:
        name: such as ``mean``.
        outcome: called with the samples, k, ``orders_O_K`` and the fewest valid samples (None:
            half of k).
        scalar: whether a scalar RM reads every group for it, too.
        sure: in a cascade the sureness, 0.5..1, from which on groups go without the judge.
    """

    name: str
    outcome: Callable[[Samples, int, Array, int | None], Outcome]
    scalar: bool = False
    sure: float | None = None


def voting(voter: str) -> Scheme:
    """All of the k samples vote; see :func:`vote`."""

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        return Outcome(vote(samples.scores_G_K_N, k, orders_O_K, voter=voter, min_valid=min_valid))

    return Scheme(voter, outcome)


def meta_rm(share: Fraction | None, voter: str = "mean") -> Scheme:
    """The samples with the best meta-scores vote; a judgment without one is dropped.

    Args:
        share: of the k, rounded down, at least one sample; None: one sample.
        voter: how they vote.
    """

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        rated_G_K_N = _only_rated(samples)
        meta_G_K = np.where(np.isnan(rated_G_K_N).all(axis=2), np.nan, samples.meta_G_K)
        k_meta = max(1, int(k * share)) if share else 1
        chosen = select(meta_G_K, k, k_meta, orders_O_K)
        return Outcome(vote(rated_G_K_N, k, orders_O_K, chosen, voter=voter, min_valid=min_valid))

    return Scheme(f"meta {share}" if share else "meta one", outcome)


def margin_alone(share: Fraction, voter: str = "mean") -> Scheme:
    """The samples with the largest margins vote: what a meta RM has to beat, without one.

    Args:
        share, voter: as for :func:`meta_rm`.
    """
    chosen = meta_rm(share, voter)

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        return chosen.outcome(by_margin(samples), k, orders_O_K, min_valid)

    return Scheme(f"margin {share}", outcome)


def weighted(
    name: str, weigh: Callable[[Samples], Array], voter: str = "mean", *, rated: bool = True
) -> Scheme:
    """Each sample votes with a weight of its own, whatever the others are.

    Args:
        name: in reports.
        weigh: gives ``weights_G_K``, >= 0; NaN for dropped samples is allowed.
        voter: how they vote.
        rated: whether the weights need meta-scores: then a judgment without one is dropped.
    """

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        scores_G_K_N = _only_rated(samples) if rated else samples.scores_G_K_N
        weights_G_K = np.nan_to_num(weigh(samples))
        rewards = vote(scores_G_K_N, k, orders_O_K, weights_G_K, voter=voter, min_valid=min_valid)
        return Outcome(rewards)

    return Scheme(name, outcome)


def stopping(
    name: str, stop: Callable[[Samples, int, Array], Array], voter: str = "mean"
) -> Scheme:
    """Drawing ends early; k is the cap.

    Args:
        name: in reports.
        stop: called with the samples, the cap and ``orders_O_K``; gives ``drawn_O_G``, 1..cap.
        voter: how the samples vote that were drawn.
    """

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        drawn_O_G = stop(samples, k, orders_O_K)
        rewards = vote(
            samples.scores_G_K_N, drawn_O_G, orders_O_K, voter=voter, min_valid=min_valid
        )
        return Outcome(rewards, drawn_O_G)

    return Scheme(name, outcome)


def _only_rated(samples: Samples) -> Array:
    return np.where(np.isnan(samples.meta_G_K)[..., None], np.nan, samples.scores_G_K_N)


def known_schemes(samples: Samples, voter: str = "mean") -> list[Scheme]:
    """Every built-in vote, and where judgments have meta-scores the meta RM's choices.

    Beside each of these stands what the margin alone chooses.

    Args:
        samples: those to be studied.
        voter: how those that are chosen vote.
    """
    votes = [voting(name) for name in ("mean", "sum", "median", "majority", "borda")]
    if np.isnan(samples.meta_G_K).all():
        return votes
    pairs = ((meta_rm(share, voter), margin_alone(share, voter)) for share in _SHARES)
    return [*votes, *itertools.chain.from_iterable(pairs), meta_rm(None, voter)]
