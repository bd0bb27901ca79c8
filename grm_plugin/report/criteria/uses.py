"""What one group adds to the sums of a criterion."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grm_plugin.report.criteria.sums import Use
from grm_plugin.types import Judgment, Principle


@dataclass(frozen=True, slots=True)
class Listing:
    """A judgment that lists criteria.

    Args:
        judgment: as recorded.
        wrong: how wrong it is, 0..1; None where that is not known.
        shares: its criteria by number, each with its share of the weights, 0..1; None where not
            all have one.
    """

    judgment: Judgment
    wrong: float | None
    shares: Mapping[int, float | None]


def weight_shares(principles: Sequence[Principle]) -> list[float | None]:
    """What share of the weights each principle has, 0..1; None where one has no weight."""
    weights = [one.weight for one in principles]
    known = [weight for weight in weights if weight is not None]
    if len(known) < len(weights) or not sum(known) > 0:
        return [None] * len(weights)
    return [weight / sum(known) for weight in known]


def mean(values_N: Sequence[float | None], responses: Sequence[int]) -> float | None:
    """The mean of the known values of some responses; None where none is known."""
    values = [values_N[n] for n in responses] if values_N else []
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def use_of_all(listings: Sequence[Listing], reward: float | None) -> Use:
    """What a group adds for all judgments that list any criterion; ``reward`` is its mean one."""
    errors = [one.wrong for one in listings if one.wrong is not None]
    return Use(
        used=len(listings),
        checked=len(errors),
        wrong=sum(errors),
        share=0.0 if reward is None else 1.0,
        reward=reward or 0.0,
    )


def use_of(
    number: int, listings: Sequence[Listing], scores: Sequence[float | None], reward: float | None
) -> Use:
    """What a group adds for one criterion.

    Args:
        number: of the criterion, which at least one judgment lists.
        listings: all judgments that list any.
        scores: the mean score of each of them (points).
        reward: the mean reward of the group, 0..1; None: it has none.
    """
    lists = [number in one.shares for one in listings]
    errors = [one.wrong for one in listings]
    weights = [share for one in listings if (share := one.shares.get(number)) is not None]
    checked, wrong_sum = _those(errors, lists)
    share = 0.0 if reward is None else sum(lists) / len(lists)
    return Use(
        1.0,
        sum(lists),
        checked,
        wrong_sum,
        share,
        share * (reward or 0.0),
        len(weights),
        sum(weights),
        *_apart(errors, lists),
        *_apart(scores, lists),
    )


def _those(values: Sequence[float | None], chosen: Sequence[bool]) -> tuple[int, float]:
    """How many of the chosen values are known, and their sum."""
    known = [one for one, is_one in zip(values, chosen, strict=True) if is_one and one is not None]
    return len(known), sum(known)


def _apart(values: Sequence[float | None], lists: Sequence[bool]) -> tuple[float, float]:
    """The weight of a comparison on the same responses, n m / (n + m), and the difference times it.

    As Mantel and Haenszel pool the differences of many tables.
    """
    n, with_it = _those(values, lists)
    m, without = _those(values, [not one for one in lists])
    if not n or not m:
        return 0.0, 0.0
    weight = n * m / (n + m)
    return weight, weight * (with_it / n - without / m)
