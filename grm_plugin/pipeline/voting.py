"""Voting: K x N scores become N rewards. Pure functions over valid judgments only.

Scores are the judge's points within ``scale``; every voter but ``sum`` gives rewards in 0..1, so
that groups with different numbers of valid samples compare.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from grm_plugin.engine import Limits
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.types import Scale

Scores_K_N = Sequence[Sequence[float]]
Rewards_N = tuple[float, ...]


class Voter(Protocol):
    """Turns the scores of the judgments that vote into one reward per response."""

    def __call__(self, scores_K_N: Scores_K_N, scale: Scale) -> Rewards_N:
        """``scores_K_N[k][n]`` are points of ``scale``; K >= 1 and N >= 1."""


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


def mean(scores_K_N: Scores_K_N, scale: Scale) -> Rewards_N:
    """The mean score of each response, mapped to 0..1.

    >>> mean([[1, 5], [5, 6]], Scale(1, 10))
    (0.2222222222222222, 0.5)
    """
    return tuple(scale.to_unit(statistics.fmean(column)) for column in _columns(scores_K_N))


def total(scores_K_N: Scores_K_N, scale: Scale) -> Rewards_N:
    """The sum of each response's scores, in points (eq. 14 of arXiv:2504.02495).

    It grows with the number of valid samples: compare within a group only.

    >>> total([[1, 5], [5, 6], [4, 8], [7, 6]], Scale(1, 10))
    (17.0, 25.0)
    """
    return tuple(float(sum(column)) for column in _columns(scores_K_N))


def median(scores_K_N: Scores_K_N, scale: Scale) -> Rewards_N:
    """The median score of each response, mapped to 0..1; an even K takes the middle of two."""
    return tuple(scale.to_unit(statistics.median(column)) for column in _columns(scores_K_N))


def majority(scores_K_N: Scores_K_N, scale: Scale) -> Rewards_N:
    """The share of judgments that rate a response best; a tie at the top shares the vote.

    Rewards are in 0..1 and sum to 1. Only order counts, so a group of one always gets 1.

    >>> majority([[8, 8], [9, 5]], Scale(1, 10))
    (0.75, 0.25)
    """
    shares = [_top_shares(row) for row in scores_K_N]
    return tuple(statistics.fmean(column) for column in _columns(shares))


def borda(scores_K_N: Scores_K_N, scale: Scale) -> Rewards_N:
    """The mean share of other responses that a response beats; a tie counts one half.

    Rewards are in 0..1 with mean 0.5. Only order counts, so a group of one always gets 0.5.

    >>> borda([[9, 5, 5]], Scale(1, 10))
    (1.0, 0.25, 0.25)
    """
    shares = [_beaten_shares(row) for row in scores_K_N]
    return tuple(statistics.fmean(column) for column in _columns(shares))


def _columns(scores_K_N: Scores_K_N) -> list[tuple[float, ...]]:
    return list(zip(*scores_K_N, strict=True))


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
