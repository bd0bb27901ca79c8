"""Figures of one part, each with its interval, and paired with what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from grm_plugin.evaluation.outcomes import Ties
from grm_plugin.evaluation.resampling import Array, Difference, Resampling
from grm_plugin.evaluation.scaling.figures import GREEDY, Cost, Point
from grm_plugin.evaluation.scaling.measuring import Found, Wins
from grm_plugin.evaluation.scaling.samples import Samples

MEAN = "mean"


@dataclass(frozen=True)
class Comparison:
    """The groups of one part under every scheme.

    Args:
        samples: of these groups.
        found: what the schemes come to, of all groups; the mean at 1 is among them.
        members: numbers of these groups among all.
        resampling: of these groups.
        ties: how the accuracy counts a tie at the top.
        greedy: judgments at temperature 0 of these groups.
        at_zero: what they come to.
        with_scalar: names of the schemes that ask a scalar RM.
    """

    samples: Samples
    found: Found
    members: Array
    resampling: Resampling
    ties: Ties
    greedy: Samples | None = None
    at_zero: Wins | None = None
    with_scalar: frozenset[str] = frozenset()

    def points(self, ks: tuple[int, ...]) -> Iterator[Point]:
        """Every scheme at ``ks``."""
        for scheme, k in self.found:
            if k in ks:
                yield self._point(scheme, k)

    def greedy_point(self) -> Point | None:
        """One judgment at temperature 0; None where there is none."""
        if self.greedy is None or self.at_zero is None:
            return None
        wins = self.at_zero
        one = self.resampling.difference(self._right(wins), self._mean_at(1))
        return self._of(GREEDY, 1, wins, self.greedy, {"one": one})

    def _point(self, scheme: str, k: int) -> Point:
        wins = self.found[scheme, k].at(self.members)
        return self._of(scheme, k, wins, self.samples, dict(self._against(scheme, k, wins)))

    def _against(self, scheme: str, k: int, wins: Wins) -> Iterator[tuple[str, Difference]]:
        right = self._right(wins)
        if k > 1:
            yield "one", self.resampling.difference(right, self._mean_at(1))
        if self.at_zero:
            yield GREEDY, self.resampling.difference(right, self._right(self.at_zero))
        if scheme != MEAN:
            yield MEAN, self.resampling.difference(right, self._mean_at(k))
        if 1 <= (drawn := float(wins.drawn_G.mean())) < k:
            yield "uniform", self.resampling.difference(right, self._uniform(drawn))

    def _uniform(self, drawn: float) -> Array:
        """The mean of ``drawn`` samples: a mixture of the two whole numbers around it."""
        low, share = math.floor(drawn), drawn % 1
        return (1 - share) * self._mean_at(low) + share * self._mean_at(math.ceil(drawn))

    def _mean_at(self, k: int) -> Array:
        return self._right(self.found[MEAN, k].at(self.members))

    def _right(self, wins: Wins) -> Array:
        return {"random": wins.random_G, "half": wins.half_G, "strict": wins.strict_G}[self.ties]

    def _of(
        self, scheme: str, k: int, wins: Wins, samples: Samples, against: dict[str, Difference]
    ) -> Point:
        return Point(
            scheme=scheme,
            k=k,
            accuracy=self.resampling.estimate(self._right(wins)),
            random=float(wins.random_G.mean()),
            half=float(wins.half_G.mean()),
            strict=float(wins.strict_G.mean()),
            ties=float(wins.tied_G.mean()),
            unscored=float(wins.unscored_G.mean()),
            cost=_cost(samples, wins.drawn_G, scalar=scheme in self.with_scalar),
            against=against,
        )


def _cost(samples: Samples, drawn_G: Array, *, scalar: bool) -> Cost:
    each = (samples.read_G_K, samples.written_G_K, samples.seconds_G_K)
    read, written, seconds = (float(np.mean(drawn_G * one.mean(1))) for one in each)
    by_scalar = float(samples.scalar_read_G.mean()) if scalar else 0.0
    return Cost(float(drawn_G.mean()), read, written, seconds, by_scalar)
