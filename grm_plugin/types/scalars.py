"""What a scalar RM says of a group: a logit per response, and how sure it is of their order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

_ALIKE, _SURE = 0.02, 0.6  # votes that differ by less; by the middle of 0..1 these are 0.1 apart
_FAR = 1e9  # scaled scores beyond it are votes of 0 or 1 all the same, and their differences finite


@dataclass(frozen=True, slots=True)
class Scalar:
    """The scalar scores of one group, and what they decided.

    Args:
        scores: N logits in the group's order; None for a response of which there is none.
        center, spread: a score is scaled as ``(logit - center) / spread``; ``spread`` > 0.
        sure: the sureness from which on this group would have gone without the judge; None: the
            scalar RM decides nothing alone (no cascade).
        judged: whether the judge was asked.
        audited: whether it was asked though the scalar RM was as sure as the settings want; that
            holds of all such groups while audits have raised the threshold.
        agreement: share of pairs, 0..1, that the judge alone puts in the same order; a tie of
            either counts one half. None where there is nothing to compare.
        claim: the share, 0.5..1, that is to be expected where the scalar RM is as right as it
            claims; None without an agreement.
        failures: why responses have no score, by index.
        version: of the scalar RM, where it changes while it is in use; else empty.
        refused: whether its server takes no request like ours (key, model).
        prompt_tokens: that it read; 0 when nobody tells.
        money: what it cost in US dollars; None: the price is not known.
        flops: what it took, failures left out; None: its size, or what it read, is not known.
    """

    scores: tuple[float | None, ...]
    center: float = 0.0
    spread: float = 1.0
    sure: float | None = None
    judged: bool = True
    audited: bool = False
    agreement: float | None = None
    failures: Mapping[int, str] = field(default_factory=dict)
    refused: bool = False
    prompt_tokens: int = 0
    money: float | None = None
    flops: float | None = None
    version: str = ""
    claim: float | None = None

    @property
    def scaled(self) -> tuple[float | None, ...]:
        """The N scaled scores: logits under the scalar RM's own Bradley-Terry model."""
        return tuple(
            None if one is None else max(-_FAR, min(_FAR, (one - self.center) / self.spread))
            for one in self.scores
        )

    @property
    def votes(self) -> tuple[float | None, ...]:
        """The N scaled scores in 0..1.

        >>> Scalar((1.0, None, -3.0), center=1.0, spread=2.0).votes
        (0.5, None, 0.11920292202211755)
        """
        return tuple(None if score is None else sigmoid(score) for score in self.scaled)

    @property
    def sureness(self) -> float | None:
        """See :func:`sureness`."""
        return sureness(self.scaled)

    @property
    def saturated(self) -> bool:
        """Whether all votes are within 0.02 of each other, near 0 or 1, though it is sure.

        >>> [Scalar(one).saturated for one in ((9.0, 7.0), (1.0, -1.0), (0.1, 0.1))]
        [True, False, False]
        """
        votes, sure = [vote for vote in self.votes if vote is not None], self.sureness
        return sure is not None and sure >= _SURE and max(votes) - min(votes) < _ALIKE


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), for any finite ``x``."""
    small = math.exp(-abs(x))
    return 1 / (1 + small) if x >= 0 else small / (1 + small)


def pairs(scores_N: Sequence[float | None]) -> Iterator[tuple[int, int]]:
    """All pairs of responses that have a score, by index."""
    return combinations([n for n, score in enumerate(scores_N) if score is not None], 2)


def sureness(scaled_N: Sequence[float | None]) -> float | None:
    """How sure a scalar RM is of the order of a group: its expected pair accuracy, 0.5..1.

    It is the mean over pairs of max(p, 1 - p) with p = sigmoid(s_i - s_j). None where there are no
    two scores: nobody is sure of one response alone.

    >>> sureness([0.0, 0.0]), sureness([0.0]), round(sureness([2.0, 0.0, None]), 3)
    (0.5, None, 0.881)
    """
    claims = [
        sigmoid(abs(one - other))
        for i, j in pairs(scaled_N)
        if (one := scaled_N[i]) is not None and (other := scaled_N[j]) is not None
    ]
    return math.fsum(claims) / len(claims) if claims else None
