"""Ways in which samples come to rewards: votes, the meta RM's choice, weights, early stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.voting import drawn, select, vote
from grm_plugin.pipeline.weighing import Weighing


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
    """

    name: str
    outcome: Callable[[Samples, int, Array, int | None], Outcome]


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


def soft_weights(weighing: Weighing, voter: str = "mean") -> Scheme:
    """Each sample votes with the weight that its meta-score and margin give it.

    Args:
        weighing: the coefficients; where one of the meta-score counts, a judgment without a
            meta-score is dropped.
        voter: how the samples vote.
    """

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        scores_G_K_N = _only_rated(samples) if weighing.meta else samples.scores_G_K_N
        meta_G_K = samples.meta_G_K if weighing.meta else np.zeros_like(samples.meta_G_K)
        log_G_K = weighing.log_weight(meta_G_K, margins(scores_G_K_N))
        among = drawn(k, orders_O_K)[:, None] & ~np.isnan(log_G_K)
        logs_O_G_K = np.where(among, log_G_K, -np.inf)
        heaviest = np.nan_to_num(logs_O_G_K.max(axis=2, keepdims=True), neginf=0.0)
        shares = weighing.beside(logs_O_G_K, heaviest, np.exp)
        rewards = vote(scores_G_K_N, k, orders_O_K, shares, voter=voter, min_valid=min_valid)
        return Outcome(rewards)

    return Scheme("weights", outcome)


def margins(scores_G_K_N: Array) -> Array:
    """``margins_G_K``: how far the best response is ahead of the second, in points; NaN if dropped.

    It is the same as :func:`grm_plugin.pipeline.weighing.margin_of`.
    """
    ranked = np.sort(np.nan_to_num(scores_G_K_N, nan=-np.inf), axis=2)
    with np.errstate(invalid="ignore"):
        ahead = ranked[..., -1] - ranked[..., -2]
    return np.where(np.isinf(ahead), 0.0, ahead)


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

    Args:
        samples: those to be studied.
        voter: how the meta RM's choices vote.
    """
    votes = [voting(name) for name in ("mean", "sum", "median", "majority", "borda")]
    if np.isnan(samples.meta_G_K).all():
        return votes
    shares = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), None)
    return [*votes, *(meta_rm(share, voter) for share in shares)]
