"""Voting: K x N scores become N rewards. Pure functions over valid judgments only.

Scores are the judge's points within ``scale``; every voter but ``sum`` gives rewards in 0..1, so
that groups with different numbers of valid samples compare. Every voter here can weigh its votes:
only ratios of weights count, and a vote of weight 0 is as good as none.
"""

from __future__ import annotations

import inspect
import math
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

from grm_plugin.engine import Limits
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.types import Scale

Scores_K_N = Sequence[Sequence[float]]
Rewards_N = tuple[float, ...]
Weights_K = Sequence[float]
NO_WEIGHTS = (
    "the selector weighs judgments, and this voter takes no weights_K; expected one that does, "
    "such as mean or borda, or a selector that does not weigh"
)
TO_UNIT = ("mean", "median", "majority", "borda")
"""Voters of ours whose rewards are in 0..1."""
_ROUNDING = 1e-12  # of a sum of weights


class Voter(Protocol):
    """Turns the scores of the judgments that vote into one reward per response.

    One that can weigh votes takes ``weights_K`` besides, as :class:`WeighingVoter`; others are
    refused where a selector weighs.
    """

    def __call__(self, scores_K_N: Scores_K_N, scale: Scale) -> Rewards_N:
        """``scores_K_N[k][n]`` are points of ``scale``; K >= 1 and N >= 1."""


class WeighingVoter(Voter, Protocol):
    """A voter whose votes may count unequally."""

    def __call__(
        self, scores_K_N: Scores_K_N, scale: Scale, weights_K: Weights_K | None = None
    ) -> Rewards_N:
        """``weights_K[k]`` >= 0, not all 0; None weighs all alike. Only their ratios count."""


def can_weigh(voter: Voter) -> TypeGuard[WeighingVoter]:
    """Whether ``voter`` takes ``weights_K``.

    >>> can_weigh(mean)
    True
    """
    try:
        return "weights_K" in inspect.signature(voter).parameters
    except (TypeError, ValueError):  # what has no signature takes no more than it must
        return False


class VoterFactory(Protocol):
    """What ``grm_register_voters`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Voter:
        """A voter; wrong options raise ConfigError."""


@dataclass(frozen=True, slots=True)
class WithoutOptions:
    """The factory of a voter that has no options."""

    name: str
    voter: Voter

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Voter:
        read_options(Options, f"voter {self.name!r}", options)
        return self.voter


def mean(scores_K_N: Scores_K_N, scale: Scale, weights_K: Weights_K | None = None) -> Rewards_N:
    """The (weighted) mean score of each response, mapped to 0..1.

    >>> mean([[1, 5], [5, 6]], Scale(1, 10))
    (0.2222222222222222, 0.5)
    >>> mean([[1, 5], [5, 6]], Scale(1, 10), [1, 3])
    (0.3333333333333333, 0.5277777777777778)
    """
    return tuple(map(scale.to_unit, _means(scores_K_N, weights_K)))


def total(scores_K_N: Scores_K_N, scale: Scale, weights_K: Weights_K | None = None) -> Rewards_N:
    """The sum of each response's scores, in points (eq. 14 of arXiv:2504.02495).

    It grows with the number of valid samples: compare within a group only. Weights are taken so
    that their mean over the votes that count is 1: a weighted sum is as large as a plain one.

    >>> total([[1, 5], [5, 6], [4, 8], [7, 6]], Scale(1, 10))
    (17.0, 25.0)
    """
    if weights_K is None:
        return tuple(float(sum(column)) for column in _columns(scores_K_N))
    votes = sum(weight > 0 for weight in weights_K)
    return tuple(votes * found for found in _means(scores_K_N, weights_K))


def median(scores_K_N: Scores_K_N, scale: Scale, weights_K: Weights_K | None = None) -> Rewards_N:
    """The median score of each response, mapped to 0..1; an even K takes the middle of two.

    With weights it is the score at which half of all weight is reached, or the middle of two
    where one of them reaches half exactly.
    """
    if weights_K is None:
        return tuple(scale.to_unit(statistics.median(column)) for column in _columns(scores_K_N))
    return tuple(
        scale.to_unit(_weighted_median(column, weights_K)) for column in _columns(scores_K_N)
    )


def majority(scores_K_N: Scores_K_N, scale: Scale, weights_K: Weights_K | None = None) -> Rewards_N:
    """The (weighted) share of judgments that rate a response best; a tie at the top shares a vote.

    Rewards are in 0..1 and sum to 1. Only order counts, so a group of one always gets 1.

    >>> majority([[8, 8], [9, 5]], Scale(1, 10))
    (0.75, 0.25)
    """
    return tuple(_means([_top_shares(row) for row in scores_K_N], weights_K))


def borda(scores_K_N: Scores_K_N, scale: Scale, weights_K: Weights_K | None = None) -> Rewards_N:
    """The (weighted) mean share of other responses that a response beats; a tie counts one half.

    Rewards are in 0..1 with mean 0.5. Only order counts, so a group of one always gets 0.5.

    >>> borda([[9, 5, 5]], Scale(1, 10))
    (1.0, 0.25, 0.25)
    """
    return tuple(_means([_beaten_shares(row) for row in scores_K_N], weights_K))


def _means(rows_K_N: Scores_K_N, weights_K: Weights_K | None) -> list[float]:
    return [statistics.fmean(column, weights_K) for column in _columns(rows_K_N)]


def _columns(scores_K_N: Scores_K_N) -> list[tuple[float, ...]]:
    return list(zip(*scores_K_N, strict=True))


def _weighted_median(column: Sequence[float], weights_K: Weights_K) -> float:
    ranked = sorted(
        (score, weight) for score, weight in zip(column, weights_K, strict=True) if weight > 0
    )
    half, reached = math.fsum(weight for _, weight in ranked) / 2, 0.0
    for place, (score, weight) in enumerate(ranked):
        reached += weight
        if math.isclose(reached, half, rel_tol=_ROUNDING):
            return (score + ranked[place + 1][0]) / 2
        if reached > half:
            return score
    return ranked[-1][0]


def _top_shares(row: Sequence[float]) -> list[float]:
    top = max(row)
    winners = sum(score == top for score in row)
    return [float(score == top) / winners for score in row]


def _beaten_shares(row: Sequence[float]) -> list[float]:
    others = len(row) - 1
    if not others:
        return [0.5]
    return [
        (sum(score > other for other in row) + (sum(score == other for other in row) - 1) / 2)
        / others
        for score in row
    ]


def best_of(rewards_N: Sequence[float], *, ties: str = "random", seed: int = 0) -> int | None:
    """The index of the best response.

    Args:
        rewards_N: one reward per response; N >= 1.
        ties: what a tie at the top means: ``random`` (drawn with ``seed``; the paper's way at
            evaluation), ``first`` (the lowest index), ``none`` (no choice: None).
        seed: for ``random``.

    Raises:
        ValueError: ``ties`` is none of these.
    """
    if ties not in ("random", "first", "none"):
        raise ValueError(f"unknown tie policy {ties!r}; expected random, first or none")
    top = max(rewards_N)
    winners = [n for n, reward in enumerate(rewards_N) if reward == top]
    if ties == "random":
        return random.Random(seed).choice(winners)
    return None if ties == "none" and len(winners) > 1 else winners[0]


@hookimpl
def grm_register_voters(register: Register[VoterFactory]) -> None:
    """Offer the built-in voters."""
    for name, voter in {
        "mean": mean,
        "sum": total,
        "median": median,
        "majority": majority,
        "borda": borda,
    }.items():
        register(name, WithoutOptions(name, voter))
