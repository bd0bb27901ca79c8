"""Whether the judge agrees with a scalar RM, pair by pair, and how often it should."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import NamedTuple

from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.overtaking import truly_ahead, truly_level
from grm_plugin.pipeline.samplewise import Drawn
from grm_plugin.pipeline.settling import Rule
from grm_plugin.types import Judgment
from grm_plugin.types.scalars import pairs, sigmoid

_SAME = 1e-9  # sums of rewards that are nearer are equal


class Agreement(NamedTuple):
    """Of the pairs of a group; both are 0..1, and the claim is 0.5 or more.

    Args:
        share: of pairs that the judge puts in the same order; a tie of either is a half.
        claim: the share that is to be expected where the scalar RM is as right as it claims.
    """

    share: float
    claim: float


def agreement(case: Case, judgments: Sequence[Judgment], rule: Rule) -> Agreement | None:
    """How far the judge alone agrees with the scalar scores of a case.

    A scalar RM claims for each pair to be right with p = sigmoid(difference of scaled scores), and
    the judge's k samples leave it a chance q of being right. Where either may err without the
    other, they agree with p q + (1 - p) (1 - q). A pair that is a tie for the judge agrees by half.
    It may be one by chance, where a half is all there is to expect, and is level with chance e,
    where the claim is p: 1/2 + e (p - 1/2). So one tie of a sample says next to nothing, and ties
    of many samples on which they are alike say that there is no such order.

    Args:
        case: with scalar scores.
        judgments: of the judge.
        rule: how they vote.

    Returns:
        None where the judge or the scalar RM has no two responses to compare, or the voter makes
        nothing of what the judge says.
    """
    voted = [one for one in judgments if one.voted]
    drawn = Drawn(case, voted, case.size.k, rule)
    if drawn.width <= 0:
        return None
    found = [_of_pair(leads, gap, drawn.width) for leads, gap in _pairs(case, drawn) if leads]
    if not found:
        return None
    return Agreement(fmean(one.share for one in found), fmean(one.claim for one in found))


def _pairs(case: Case, drawn: Drawn) -> list[tuple[list[float], float]]:
    """Of every pair by how much each sample puts the first ahead, and the scaled scores do."""
    scaled = case.scalar.scaled if case.scalar else ()
    return [
        ([row[i] - row[j] for row in drawn.rows if i in row and j in row], one - other)
        for i, j in pairs(scaled)
        if (one := scaled[i]) is not None and (other := scaled[j]) is not None
    ]


def _of_pair(leads: Sequence[float], gap: float, width: float) -> Agreement:
    p, total = sigmoid(abs(gap)), math.fsum(leads)
    if abs(total) <= _SAME:
        return Agreement(0.5, 0.5 + truly_level(leads, width) * (p - 0.5))
    q, same = truly_ahead(leads, width), (gap > 0) == (total > 0)
    return Agreement(0.5 if gap == 0 else float(same), p * q + (1 - p) * (1 - q))


def with_agreement(case: Case, found: Agreement | None) -> Case:
    """``case`` whose scalar scores know how far the judge agrees, and how far it should."""
    if case.scalar is None or found is None:
        return case
    known = replace(case.scalar, agreement=found.share, claim=found.claim)
    return replace(case, scalar=known)
