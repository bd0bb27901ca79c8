"""Which of two responses is better, and how surely: what a scalar RM is trained on. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from grm_plugin.evaluation.truth import Best, Correct, Truth
from grm_plugin.types import Group, Judgment, Verdict


@dataclass(frozen=True, slots=True)
class Pair:
    """Two responses of one group.

    Args:
        first, second: their indices in the group.
        target: the chance that the first one is better, 0..1; one half is a tie.
    """

    first: int
    second: int
    target: float


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

    >>> labelled_pairs(Group.of("2 + 2?", ["5", "4", "6"]), Best((1,)))
    (Pair(first=1, second=0, target=1.0), Pair(first=1, second=2, target=1.0))
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
    >>> judged_pairs(Verdict(group, None, tuple(votes)))
    (Pair(first=0, second=1, target=0.75),)
    """
    voting = [one for one in verdict.judgments if one.voted]
    pairs = itertools.combinations(range(len(verdict.group.responses)), 2)
    found = ((i, j, _share(voting, i, j)) for i, j in pairs if _differ(verdict.group, i, j))
    return tuple(Pair(i, j, share) for i, j, share in found if share is not None)


def _share(voting: list[Judgment], i: int, j: int) -> float | None:
    """The weighed share of judgments in which i is ahead of j; None where none shows both."""
    votes = list(_votes(voting, i, j))
    total = math.fsum(weight for weight, _ in votes)
    return math.fsum(weight * vote for weight, vote in votes) / total if total else None


def _votes(voting: list[Judgment], i: int, j: int) -> Iterator[tuple[float, float]]:
    for one in voting:
        first, second = one.scores[i], one.scores[j]
        if first is not None and second is not None:
            yield one.weight, 0.5 + 0.5 * ((first > second) - (first < second))


def _differ(group: Group, i: int, j: int) -> bool:
    return group.responses[i] != group.responses[j]
