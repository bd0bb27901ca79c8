"""How much of the votes' variance lies between the responses, and how many votes that asks for.

The votes for one response of a group scatter; the means of its responses lie apart. The share of
the second in both is the intraclass correlation ICC(1) of Shrout and Fleiss (Psychol. Bull. 86,
1979), within groups, since rewards are compared there. The mean of k votes has the reliability that
Spearman and Brown's formula tells from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_NONE = 1e-12  # a variance below it is that of votes which are all alike


@dataclass(frozen=True, slots=True)
class VoteVariance:
    """The variance of votes, in its two parts, over any number of groups; may be added up.

    Args:
        between: variance between the responses, times its degrees of freedom; may be below 0.
        between_freedom: responses with votes, less one for each group.
        within: squares of the votes' deviations from the mean of their response.
        within_freedom: votes, less one for each response.
    """

    between: float = 0.0
    between_freedom: float = 0.0
    within: float = 0.0
    within_freedom: float = 0.0

    @classmethod
    def of(cls, votes_N: Sequence[Sequence[float]]) -> VoteVariance:
        """Of one group, whose responses may have unequal numbers of votes, or none.

        Nothing is known from a single response with votes, nor from single votes.
        """
        voted = [one for one in votes_N if one]
        number, total = len(voted), sum(map(len, voted))
        free, scattered = number - 1, total - number
        if free < 1 or scattered < 1:
            return cls()
        grand = sum(map(sum, voted)) / total
        apart = ((sum(one) / len(one) - grand, len(one)) for one in voted)
        between = sum(n * away * away for away, n in apart)
        within = sum(map(squares, voted))
        size = (total - sum(len(one) ** 2 for one in voted) / total) / free
        return cls((between - free * within / scattered) / size, free, within, scattered)

    def __add__(self, other: VoteVariance) -> VoteVariance:
        return VoteVariance(
            self.between + other.between,
            self.between_freedom + other.between_freedom,
            self.within + other.within,
            self.within_freedom + other.within_freedom,
        )

    @property
    def reliability(self) -> float:
        """ICC(1): the share of one vote's variance that lies between responses, at most 1.

        Below 0 where the responses lie nearer together than their votes' scatter would make them;
        NaN where nothing tells it, or all votes are alike.

        >>> round(VoteVariance.of([[7.0, 9.0], [3.0, 1.0]]).reliability, 3)
        0.895
        """
        if not self.between_freedom or not self.within_freedom:
            return math.nan
        between = self.between / self.between_freedom
        total = between + self.within / self.within_freedom
        return between / total if total > _NONE else math.nan


def squares(votes: Sequence[float]) -> float:
    """The sum of the squares of deviations from the mean of ``votes``, at least one."""
    mean = sum(votes) / len(votes)
    return sum((vote - mean) * (vote - mean) for vote in votes)


def of_k_votes(reliability: float, k: float) -> float:
    """The reliability of the mean of k votes, by Spearman and Brown.

    >>> round(of_k_votes(0.5, 4), 6)
    0.8
    """
    return k * reliability / (1 + (k - 1) * reliability)


def votes_for(target: float, reliability: float) -> float:
    """How many votes reach the reliability ``target``; infinity where no number does.

    They are whole; NaN for a reliability that is not known.

    Args:
        target: 0..1, both excluded.
        reliability: of one vote, at most 1.

    >>> votes_for(0.8, 0.5), votes_for(0.9, 0.5), votes_for(0.8, 0.0), votes_for(0.8, 1.0)
    (4.0, 9.0, inf, 1.0)
    """
    if math.isnan(reliability):
        return math.nan
    told = max(0.0, reliability) * (1 - target)
    votes = target * (1 - reliability) / told if told else math.inf
    return float(max(1, math.ceil(votes - 1e-9))) if math.isfinite(votes) else math.inf
