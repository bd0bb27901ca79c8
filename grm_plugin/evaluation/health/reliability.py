"""Reliability and agreement of a judge's votes as sums over verdicts, which get intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from grm_plugin.evaluation.blocks import Sums
from grm_plugin.hosts.counting import votes
from grm_plugin.reliability import VoteVariance, squares
from grm_plugin.types import Verdict

_VARIANCE = ("between", "between freedom", "within", "within freedom")


def vote_sums(verdict: Verdict) -> dict[str, float]:
    """The votes of one group, for :func:`reliability` and :func:`krippendorff_alpha`."""
    found = [votes(verdict.judgments, n) for n in range(len(verdict.group.responses))]
    return {**_within_group(found), **_over_groups(found)}


def reliability(sums: Sums) -> float:
    """That of one vote; see :attr:`grm_plugin.reliability.VoteVariance.reliability`."""
    return VoteVariance(*(sums.get(name, 0.0) for name in _VARIANCE)).reliability


def mean_votes(sums: Sums) -> float:
    """How many votes a response has, on average."""
    responses = sums.get("voted responses", 0.0)
    return sums.get("votes", 0.0) / responses if responses else math.nan


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
    found = VoteVariance.of(votes_N)
    if not found.within_freedom:
        return {}
    parts = (found.between, found.between_freedom, found.within, found.within_freedom)
    return {
        **dict(zip(_VARIANCE, parts, strict=True)),
        "votes": sum(map(len, votes_N)),
        "voted responses": sum(1 for one in votes_N if one),
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
        "disagreement": sum(len(one) * squares(one) / (len(one) - 1) for one in units),
    }
