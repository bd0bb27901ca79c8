"""Whether the judge agrees with a scalar RM, pair by pair, and how often it should."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import NamedTuple

from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.overtaking import SAME, alike, order_known
from grm_plugin.pipeline.samplewise import Drawn
from grm_plugin.pipeline.settling import Rule
from grm_plugin.types import Judgment
from grm_plugin.types.scalars import pairs, sigmoid


class Agreement(NamedTuple):
    """Of the pairs of a group; both are 0..1, and the claim is 0.5 or more.

    Args:
        share: of pairs that the judge puts in the same order; a tie of either is a half.
        claim: the share that is to be expected where the scalar RM is as right as it claims.
    """

    share: float
    claim: float


def agreement(
    case: Case, judgments: Sequence[Judgment], rule: Rule, accuracy: float = 1.0
) -> Agreement | None:
    """How far the judge alone agrees with the scalar scores of a case.

    A scalar RM claims for each pair to be right with p = sigmoid(difference of scaled scores), the
    judge by all the samples there could be is right with its accuracy a, and k samples leave it a
    chance q of the order that all would give. Where each may err without the others, scalar RM and
    judge agree with c = p a + (1 - p) (1 - a), and with c q + (1 - c) (1 - q) as far as k samples
    tell. Which is c where a judge that is right (a = 1) is what the scalar RM was fitted to.

    Args:
        case: with scalar scores.
        judgments: of the judge.
        rule: how they vote.
        accuracy: of the judge, 0.5..1.

    Returns:
        None where the judge or the scalar RM has no two responses to compare, or the voter makes
        nothing of what the judge says.
    """
    voted = [one for one in judgments if one.voted]
    drawn = Drawn(case, voted, case.size.k, rule)
    if drawn.width <= 0:
        return None
    pairs = [(leads, gap) for leads, gap in _pairs(case, drawn) if leads]
    found = [_of_pair(leads, gap, drawn.width, accuracy) for leads, gap in pairs]
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


def _of_pair(leads: Sequence[float], gap: float, width: float, accuracy: float) -> Agreement:
    total = math.fsum(leads)
    claim = alike(sigmoid(abs(gap)), accuracy, order_known(leads, width))
    if gap == 0 or abs(total) <= SAME:
        return Agreement(0.5, claim)
    return Agreement(float((gap > 0) == (total > 0)), claim)


def with_agreement(case: Case, found: Agreement | None) -> Case:
    """``case`` whose scalar scores know how far the judge agrees, and how far it should."""
    if case.scalar is None or found is None:
        return case
    known = replace(case.scalar, agreement=found.share, claim=found.claim)
    return replace(case, scalar=known)
