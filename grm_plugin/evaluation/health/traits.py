"""Whether rewards go with what should earn none: length, and praise of itself.

Both are looked at within groups: what is asked decides how long answers are, and how good. Where
the truth is known, the correlation that is left once it is taken out of both tells more, since good
answers may well be longer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement
from operator import mul

from grm_plugin.evaluation.blocks import Sums
from grm_plugin.evaluation.health.praise import praises_itself
from grm_plugin.hosts.averages import log_length
from grm_plugin.types import Verdict

_LEAST = 1e-12  # of a sum of squares: less is rounding


def trait_sums(verdict: Verdict, truth_N: Sequence[float] | None) -> dict[str, float]:
    """Products of deviations from the group's means, of traits, rewards and truth.

    Args:
        verdict: of one group; responses without a reward are left out.
        truth_N: how good each response is known to be; None where nobody knows.
    """
    if not verdict.rewards:
        return {}
    known = [n for n, reward in enumerate(verdict.rewards) if reward is not None]
    if len(known) < 2:
        return {}
    responses = verdict.group.responses
    rewards = [verdict.rewards[n] or 0.0 for n in known]
    truth = [truth_N[n] for n in known] if truth_N else None
    praise = [float(praises_itself(responses[n])) for n in known]
    return {
        "looked at": len(known),
        "praise": sum(praise),
        **_products("length", [log_length(responses[n]) for n in known], rewards, truth),
        **_products("praise", praise, rewards, truth),
    }


def correlation(trait: str, one: str, other: str) -> Callable[[Sums], float]:
    """Pearson's correlation within groups, of ``trait``, ``reward`` and ``truth``, -1..1.

    >>> correlation("length", "trait", "reward")({
    ...     "length trait*trait": 2.0, "length reward*reward": 2.0, "length trait*reward": 1.0})
    0.5
    """
    return lambda sums: _correlation(sums, trait, one, other)


def partial(trait: str) -> Callable[[Sums], float]:
    """The correlation of a trait and the reward once the truth is taken out of both, -1..1."""

    def of(sums: Sums) -> float:
        known = f"{trait} known"
        direct = _correlation(sums, known, "trait", "reward")
        by_trait = _correlation(sums, known, "trait", "truth")
        by_reward = _correlation(sums, known, "reward", "truth")
        if math.isnan(by_trait) or math.isnan(by_reward):
            return math.nan
        left = (1 - by_trait**2) * (1 - by_reward**2)
        return (direct - by_trait * by_reward) / math.sqrt(left) if left > _LEAST else math.nan

    return of


def _products(
    trait: str, values: Sequence[float], rewards: Sequence[float], truth: Sequence[float] | None
) -> dict[str, float]:
    """Of one group; a trait that does not vary in it tells nothing."""
    if max(values) - min(values) < _LEAST:
        return {}
    columns = {"trait": _centred(values), "reward": _centred(rewards)}
    sums = _all_products(trait, columns)
    if truth is not None:
        sums |= _all_products(f"{trait} known", columns | {"truth": _centred(truth)})
    return sums


def _all_products(prefix: str, columns: dict[str, list[float]]) -> dict[str, float]:
    pairs = combinations_with_replacement(columns, 2)
    sums = {
        f"{prefix} {one}*{other}": sum(map(mul, columns[one], columns[other]))
        for one, other in pairs
    }
    return {f"{prefix} groups": 1.0, **sums}


def _centred(values: Sequence[float]) -> list[float]:
    mean = sum(values) / len(values)
    return [value - mean for value in values]


def _correlation(sums: Sums, prefix: str, one: str, other: str) -> float:
    squares = (sums.get(f"{prefix} {name}*{name}", 0.0) for name in (one, other))
    spread = math.prod(value if value > _LEAST else 0.0 for value in squares)
    if not spread:
        return math.nan
    return max(-1.0, min(1.0, sums[f"{prefix} {one}*{other}"] / math.sqrt(spread)))
