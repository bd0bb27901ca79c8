"""Which of two responses is better, and how surely: what a scalar RM is trained on. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grm_plugin.evaluation.truth import Best, Correct, Truth
from grm_plugin.pipeline.overtaking import SAME, order_known
from grm_plugin.types import Group, Judgment, Verdict


@dataclass(frozen=True, slots=True)
class Pair:
    """Two responses of one group.

    Args:
        first, second: their indices in the group.
        target: the chance that the first one is better, by a label or by one vote, 0..1; one half
            is a tie.
        ahead: whether all votes together put it ahead: 1, 0, or 1/2 of a tie; None: as the target.
        known: how far more votes would keep that, 0..1; 1 of a label.
    """

    first: int
    second: int
    target: float
    ahead: float | None = None
    known: float = 1.0

    @property
    def order(self) -> float:
        """1 where the first one is better, by all that is known, 0 where the second one is."""
        return self.target if self.ahead is None else self.ahead


@dataclass(frozen=True, slots=True)
class Compared:
    """A group and what is known of its pairs.

    Args:
        group: conversation and responses.
        pairs: at least one; of pairs that are not there nothing is known.
    """

    group: Group
    pairs: tuple[Pair, ...]


def labelled_pairs(group: Group, truth: Truth) -> tuple[Pair, ...]:
    """The pairs of which a label says that one is better.

    Args:
        group: its responses; two that are the same text are no pair.
        truth: a best response is better than each that is not; so is a right one than each wrong
            one; of ratings the higher.

    >>> pairs = labelled_pairs(Group.of("2 + 2?", ["5", "4", "6"]), Best((1,)))
    >>> [(one.first, one.second, one.target) for one in pairs]
    [(1, 0, 1.0), (1, 2, 1.0)]
    """
    value_N = _values(truth, len(group.responses))
    pairs = itertools.permutations(range(len(value_N)), 2)
    return tuple(
        Pair(i, j, 1.0) for i, j in pairs if value_N[i] > value_N[j] and _differ(group, i, j)
    )


def _values(truth: Truth, n: int) -> tuple[float, ...]:
    if isinstance(truth, Best):
        return tuple(float(one in truth.indices) for one in range(n))
    return truth.labels_N if isinstance(truth, Correct) else truth.values_N


def judged_pairs(verdict: Verdict) -> tuple[Pair, ...]:
    """The pairs that the judge compared, each with the share of its votes for the first response.

    A judgment that scores both alike is half a vote for each. Only judgments that voted count, by
    their weights; rewards do not, for a scalar RM may have had a part in them.

    >>> group = Group.of("2 + 2?", ["4", "5"])
    >>> votes = [Judgment(k, (0, 1), 0, "", scores) for k, scores in enumerate([(9, 2), (5, 5)])]
    >>> (pair,) = judged_pairs(Verdict(group, None, tuple(votes)))
    >>> pair.target, pair.order, round(pair.known, 2)
    (0.75, 1.0, 0.78)
    """
    voting = [one for one in verdict.judgments if one.voted]
    pairs = itertools.combinations(range(len(verdict.group.responses)), 2)
    width = _width(voting)
    found = (_judged(voting, i, j, width) for i, j in pairs if _differ(verdict.group, i, j))
    return tuple(pair for pair in found if pair)


def _judged(voting: Sequence[Judgment], i: int, j: int, width: float) -> Pair | None:
    """The pair of i and j, of scores ``width`` points apart; None where no judgment shows both."""
    leads = list(_leads(voting, i, j))
    total = math.fsum(weight for weight, _ in leads)
    if not total:
        return None
    wins = math.fsum(weight * (0.5 + 0.5 * ((lead > 0) - (lead < 0))) for weight, lead in leads)
    weighed = [weight * len(leads) / total * lead for weight, lead in leads]
    sure = 2 * order_known(weighed, width) - 1
    together = math.fsum(weighed)
    ahead = 0.5 if abs(together) <= SAME else float(together > 0)
    return Pair(i, j, wins / total, ahead, sure)


def _leads(voting: Sequence[Judgment], i: int, j: int) -> Iterator[tuple[float, float]]:
    """The weight of each judgment that shows both, and by how many points i is ahead in it."""
    for one in voting:
        first, second = one.scores[i], one.scores[j]
        if first is not None and second is not None and one.weight:
            yield one.weight, first - second


def _width(voting: Sequence[Judgment]) -> float:
    """How far the scores of a group go apart, in points; any number where none are."""
    scores = [score for one in voting for score in one.scores if score is not None]
    return max(scores, default=0.0) - min(scores, default=0.0) or 1.0


def _differ(group: Group, i: int, j: int) -> bool:
    return group.responses[i] != group.responses[j]
