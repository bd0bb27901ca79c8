"""How much of the votes' variance lies between the responses, and how many votes that asks for.

The votes for one response of a group scatter; the means of its responses lie apart. The share of
the second in both is the intraclass correlation ICC(1) of Shrout and Fleiss (Psychol. Bull. 86,
1979), within groups, since rewards are compared there. The mean of k votes has the reliability that
Spearman and Brown's formula tells from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from grm_plugin.evaluation.blocks import Sums
from grm_plugin.hosts.counting import votes
from grm_plugin.types import Verdict


def vote_sums(verdict: Verdict) -> dict[str, float]:
    """The votes of one group, for :func:`reliability` and :func:`krippendorff_alpha`."""
    found = [votes(verdict.judgments, n) for n in range(len(verdict.group.responses))]
    return {**_within_group([one for one in found if one]), **_over_groups(found)}


def reliability(sums: Sums) -> float:
    """ICC(1): the share of one vote's variance that lies between responses of a group, at most 1.

    Below 0 where the responses lie nearer together than their votes' scatter would make them.
    """
    apart, free = sums.get("between", 0.0), sums.get("between freedom", 0.0)
    scatter, scattered = sums.get("within", 0.0), sums.get("within freedom", 0.0)
    if not free or not scattered:
        return math.nan
    between, within = apart / free, scatter / scattered
    total = between + within
    return between / total if total > 1e-12 else math.nan


def mean_votes(sums: Sums) -> float:
    """How many votes a response has, on average."""
    responses = sums.get("voted responses", 0.0)
    return sums.get("votes", 0.0) / responses if responses else math.nan


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
    if math.isnan(reliability) or reliability <= 0:
        return math.nan if math.isnan(reliability) else math.inf
    votes = target * (1 - reliability) / (reliability * (1 - target))
    return float(max(1, math.ceil(votes - 1e-9)))


def krippendorff_alpha(sums: Sums) -> float:
    """Krippendorff's alpha with the interval metric: 1 for votes that agree, 0 for chance.

    Units are all responses with two or more votes, of all groups together.
    """
    number = sums.get("paired votes", 0.0)
    if number < 2:
        return math.nan
    total = sums["vote squares"] - sums["vote sum"] * sums["vote sum"] / number
    expected = total / (number - 1)
    return 1 - sums["disagreement"] / number / expected if expected > 1e-12 else math.nan


def _within_group(votes_N: Sequence[Sequence[float]]) -> dict[str, float]:
    """One-way analysis of variance with the responses as units; they may have unequal votes."""
    number, total = len(votes_N), sum(map(len, votes_N))
    free, scattered = number - 1, total - number
    if free < 1 or scattered < 1:
        return {}
    grand = sum(map(sum, votes_N)) / total
    means = [sum(one) / len(one) for one in votes_N]
    within = sum(map(_squares, votes_N))
    apart = [mean - grand for mean in means]
    between = sum(len(one) * away * away for one, away in zip(votes_N, apart, strict=True))
    size = (total - sum(len(one) ** 2 for one in votes_N) / total) / free
    return {
        "between": (between - free * within / scattered) / size,
        "between freedom": free,
        "within": within,
        "within freedom": scattered,
        "votes": total,
        "voted responses": number,
        "voted groups": 1,
    }


def _over_groups(votes_N: Sequence[Sequence[float]]) -> dict[str, float]:
    units = [one for one in votes_N if len(one) > 1]
    if not units:
        return {}
    return {
        "paired votes": sum(map(len, units)),
        "vote sum": sum(map(sum, units)),
        "vote squares": sum(vote * vote for one in units for vote in one),
        "disagreement": sum(len(one) * _squares(one) / (len(one) - 1) for one in units),
    }


def _squares(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) * (value - mean) for value in values)
