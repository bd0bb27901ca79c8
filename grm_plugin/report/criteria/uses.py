"""What one group adds to the sums of a criterion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from grm_plugin.report.criteria.sums import Use
from grm_plugin.types import Judgment, Principle, Verdict

_DIGITS = 12  # what floats lose in sums is no difference


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


class Known(NamedTuple):
    """How many of some values are known, and their sum."""

    n: int
    total: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Known:
        """Of these values."""
        known = [value for value in values if value is not None]
        return cls(len(known), math.fsum(known))

    @property
    def mean(self) -> float | None:
        """Their mean; None of none."""
        return self.total / self.n if self.n else None


class Judged:
    """The judgments of one group, and what they come to for some of its responses.

    Args:
        verdict: of the group.
        listings: its judgments that list criteria.
        responses: indices of the responses that count.
    """

    def __init__(
        self, verdict: Verdict, listings: Sequence[Listing], responses: Sequence[int]
    ) -> None:
        rewards = verdict.rewards
        self._listings = listings
        self._reward = Known.of(rewards[n] for n in responses).mean if rewards else None
        self._errors = [one.wrong for one in listings]
        self._scores = [
            Known.of(one.judgment.scores[n] for n in responses).mean for one in listings
        ]
        self._all_errors, self._all_scores = Known.of(self._errors), Known.of(self._scores)

    def use_of_all(self) -> Use:
        """What the group adds for all judgments that list any criterion."""
        return Use(
            used=len(self._listings),
            checked=self._all_errors.n,
            wrong=self._all_errors.total,
            share=0.0 if self._reward is None else 1.0,
            reward=self._reward or 0.0,
        )

    def use(self, number: int, using: Sequence[int]) -> Use:
        """What the group adds for one criterion.

        Args:
            number: of the criterion.
            using: places of the judgments that list it, at least one.
        """
        errors = Known.of(self._errors[place] for place in using)
        scores = Known.of(self._scores[place] for place in using)
        weights = Known.of(self._listings[place].shares[number] for place in using)
        share = 0.0 if self._reward is None else len(using) / len(self._listings)
        return Use(
            1.0,
            len(using),
            *errors,
            share,
            share * (self._reward or 0.0),
            *weights,
            *_apart(errors, self._all_errors),
            *_apart(scores, self._all_scores),
        )


def users(listings: Sequence[Listing]) -> dict[int, list[int]]:
    """The places of the judgments that list a criterion, by its number."""
    found: dict[int, list[int]] = {}
    for place, one in enumerate(listings):
        for number in one.shares:
            found.setdefault(number, []).append(place)
    return found


def weight_shares(principles: Sequence[Principle]) -> list[float | None]:
    """What share of the weights each principle has, 0..1; None where one has no weight."""
    weights = [one.weight for one in principles]
    known = Known.of(weights)
    if known.n < len(weights) or not known.total > 0:
        return [None] * len(weights)
    return [(weight or 0.0) / known.total for weight in weights]


def _apart(those: Known, of_all: Known) -> tuple[float, float]:
    """The weight of a comparison on the same responses, n m / (n + m), and the difference times it.

    As Mantel and Haenszel pool the differences of many tables.
    """
    n, m = those.n, of_all.n - those.n
    if not n or not m:
        return 0.0, 0.0
    weight = n * m / (n + m)
    apart = those.total / n - (of_all.total - those.total) / m
    return weight, weight * round(apart, _DIGITS)
