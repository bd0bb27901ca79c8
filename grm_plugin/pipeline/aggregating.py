"""From the rewards of runs to the rewards of a group. Pure functions.

A run's rewards are what the voter made of its judgments. Overlapping runs each score their members
on one scale, so a response in several of them gets the mean. A pair says only by how much one
response is ahead of the other; pairs meet in an aggregate.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from grm_plugin.pipeline.strengths import strengths, win_chance

Rewards = Mapping[int, float]
"""Rewards by the index of the response; a response that nobody scored is missing."""

Aggregate = Callable[[Sequence[Rewards]], Rewards]

_PRIOR = 0.25  # wins that both sides of a pair are given besides: a clean sweep stays finite


def mean_of_runs(rewards: Sequence[Rewards]) -> Rewards:
    """The mean of what each run gives a response.

    >>> mean_of_runs([{0: 0.2, 1: 0.4}, {1: 0.8, 2: 1.0}])
    {0: 0.2, 1: 0.6000000000000001, 2: 1.0}
    """
    return {n: statistics.fmean(found) for n, found in _by_response(rewards).items()}


def connected(pairs: Sequence[Rewards]) -> list[Rewards]:
    """The pairs of the largest set of responses that pairs connect; a tie goes to the lowest index.

    Responses that no chain of pairs connects were never compared, not even through others.

    >>> connected([{0: 1.0, 1: 0.0}, {2: 1.0, 3: 0.0}, {3: 1.0, 4: 0.0}])
    [{2: 1.0, 3: 0.0}, {3: 1.0, 4: 0.0}]
    """
    sets: list[set[int]] = []
    for pair in pairs:
        meet = [one for one in sets if one & pair.keys()]
        sets = [one for one in sets if one not in meet] + [set(pair).union(*meet)]
    largest = max(sets, key=lambda one: (len(one), -min(one)))
    return [pair for pair in pairs if pair.keys() <= largest]


def mean_margin(pairs: Sequence[Rewards]) -> Rewards:
    """Half of one plus half of the mean margin of a response over its pairs.

    Rewards are in 0..1 where margins are in -1..1: 0.5 is neither ahead nor behind.

    >>> mean_margin([{0: 1.0, 1: 0.0}, {1: 0.5, 2: 0.5}])
    {0: 1.0, 1: 0.25, 2: 0.5}
    """
    margins = [{n: pair[n] - _other(pair, n) for n in pair} for pair in pairs]
    return {n: 0.5 + statistics.fmean(found) / 2 for n, found in _by_response(margins).items()}


def bradley_terry(pairs: Sequence[Rewards]) -> Rewards:
    """The chance of a response to beat another one of its group, by a Bradley-Terry model.

    A pair with margin m counts as ``(1 + m) / 2`` of a win; both sides are given a quarter of a win
    besides. Rewards are in 0..1 with mean 0.5.

    >>> [round(reward, 2) for reward in bradley_terry([{0: 1.0, 1: 0.0}]).values()]
    [0.83, 0.17]
    """
    wins = [{n: (1 + pair[n] - _other(pair, n)) / 2 + _PRIOR for n in pair} for pair in pairs]
    found = strengths(wins)
    return {n: _chance(n, found) for n in sorted(found)}


def _chance(n: int, strength: Rewards) -> float:
    others = [value for one, value in strength.items() if one != n]
    return statistics.fmean(win_chance(strength[n] - other) for other in others)


def _other(pair: Rewards, n: int) -> float:
    (other,) = (value for one, value in pair.items() if one != n)
    return other


def _by_response(rewards: Sequence[Rewards]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for run in rewards:
        for n, reward in run.items():
            found.setdefault(n, []).append(reward)
    return dict(sorted(found.items()))
