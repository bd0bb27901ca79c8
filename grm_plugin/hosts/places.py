"""Whether the place at which a response is shown moves its score."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from grm_plugin.types import Judgment


@dataclass
class Places:
    """The judge's scores by the place of the response in its prompt; add judgments one by one.

    A judgment counts when it has a score for each of the two or more responses it showed. Shuffles
    spread good and bad responses over the places, so what is left between the places is the judge's
    bias and chance; chance shrinks with the root of the number of judgments.
    """

    judgments: int = 0
    _means: float = 0.0
    _lifts: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(_no_lifts))

    @classmethod
    def of(cls, judgments: Iterable[Judgment]) -> Places:
        """All of ``judgments``, counted."""
        places = cls()
        for judgment in judgments:
            places.add(judgment)
        return places

    def add(self, judgment: Judgment) -> None:
        """Count one judgment."""
        scores = by_place(judgment)
        if not scores:
            return
        mean = statistics.fmean(scores)
        self.judgments += 1
        self._means += mean
        for place, score in enumerate(scores):
            self._lifts[place][0] += score - mean
            self._lifts[place][1] += 1

    def __add__(self, other: Places) -> Places:
        found = Places(self.judgments + other.judgments, self._means + other._means)
        for one in (self, other):
            for place, (total, count) in one._lifts.items():
                found._lifts[place][0] += total
                found._lifts[place][1] += count
        return found

    @property
    def lifts(self) -> tuple[float, ...]:
        """By place: how far its scores lie above the mean of their judgment (points), on average.

        >>> judged = [Judgment(0, (0, 1), 0, "", (9, 5)), Judgment(1, (1, 0), 0, "", (7, 9))]
        >>> Places.of(judged).lifts
        (1.5, -1.5)
        """
        return tuple(total / count for _, (total, count) in sorted(self._lifts.items()))

    @property
    def means(self) -> tuple[float, ...]:
        """By place: the mean score (points), corrected for groups of several sizes."""
        return tuple(self._means / self.judgments + lift for lift in self.lifts)

    @property
    def gap(self) -> float:
        """Points between the places with the highest and the lowest mean; NaN for no judgment."""
        return max(self.lifts) - min(self.lifts) if self.judgments else math.nan

    @property
    def first(self) -> float:
        """Points that the first place lies above the mean of all places; NaN for no judgment."""
        return self.lifts[0] if self.judgments else math.nan


def by_place(judgment: Judgment) -> list[float]:
    """The scores (points) of a judgment by place; empty where it does not count.

    >>> by_place(Judgment(0, (1, 0), 0, "", (9, 5))), by_place(Judgment(0, (0,), 0, "", (9,)))
    ([5, 9], [])
    """
    shown = [judgment.scores[n] for n in judgment.order]
    scores = [score for score in shown if score is not None]
    return scores if len(scores) >= max(2, len(shown)) else []


def _no_lifts() -> list[float]:
    return [0.0, 0.0]
