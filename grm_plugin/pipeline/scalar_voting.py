"""How a scalar RM's votes join those of the judge, or take their place. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.scalar import ScalarOptions
from grm_plugin.types import Scalar, Scale

Rewards = Sequence[float | None]


@dataclass(frozen=True)
class ScalarRule:
    """What a scalar RM's votes count.

    Args:
        weight: samples of the judge that one counts as, in groups that are judged.
        points: whether the voter adds up points, as ``sum`` does; else its rewards are in 0..1.
        raw: whether rewards of groups that are not judged are logits.
    """

    weight: float = 0.0
    points: bool = False
    raw: bool = False

    @classmethod
    def of(cls, options: ScalarOptions | None, vote: str) -> ScalarRule:
        """The rule of the settings, where ``vote`` names the voter."""
        if options is None:
            return cls()
        return cls(options.votes_as, vote == "sum", options.raw)

    @classmethod
    def on_record(cls, origin: Mapping[str, Any], vote: str) -> ScalarRule:
        """The rule by which a verdict of that origin was settled."""
        told = origin.get("scalar")
        if not isinstance(told, Mapping):
            return cls()
        return cls(float(told.get("weight") or 0.0), vote == "sum", told.get("raw") is True)

    def offsets(self, scalar: Scalar | None, scale: Scale) -> list[float | None]:
        """What each response gets besides the sum of its votes; empty where there is nothing."""
        if scalar is None or not self.weight:
            return []
        low, high = scale if self.points else (0.0, 1.0)
        return [
            None if vote is None else self.weight * (low + (high - low) * vote)
            for vote in scalar.votes
        ]

    def together(
        self, rewards_N: Rewards, scalar: Scalar, votes: float, scale: Scale
    ) -> tuple[float | None, ...]:
        """Rewards of the judge and of the scalar RM together; None where either has none.

        Args:
            rewards_N: of the judge alone.
            scalar: of the same group.
            votes: samples that the rewards come from, > 0.
            scale: of one score of the judge.

        >>> together = ScalarRule(weight=4).together
        >>> together((1.0, None), Scalar((0.0, 0.0)), 4, Scale(1, 10))
        (0.75, None)
        """
        known = [None if scalar.scores[n] is None else one for n, one in enumerate(rewards_N)]
        more = self.offsets(scalar, scale)
        if not more:
            return tuple(known)
        return tuple(
            None if one is None else joined(one, add or 0.0, votes, self.weight, self.points)
            for one, add in zip(known, more, strict=True)
        )

    def instead(self, scalar: Scalar) -> tuple[float | None, ...]:
        """Rewards of a group that is not judged."""
        return scalar.scores if self.raw else scalar.votes


def joined(judged: Any, more: Any, votes: Any, weight: float, points: bool) -> Any:
    """A reward of the judge and what a scalar RM adds to it; of numbers or of arrays alike.

    Args:
        judged: by the judge alone.
        more: the scalar RM's vote in the same unit, times its weight.
        votes: samples that the judge's reward comes from, > 0.
        weight: samples of the judge that the scalar RM's vote counts as.
        points: whether rewards are sums, of which there is no mean to take.

    >>> joined(1.0, 2.0, 4, 4.0, False), joined(40.0, 22.0, 4, 4.0, True)
    (0.75, 62.0)
    """
    return judged + more if points else (votes * judged + more) / (votes + weight)
