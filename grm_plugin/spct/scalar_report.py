"""What a scalar RM knows of held-out pairs, and the scale of its logits. Pure functions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grm_plugin.evaluation.calibration import Calibration, calibration
from grm_plugin.evaluation.statistics import Estimate, bootstrap
from grm_plugin.pipeline.overtaking import alike
from grm_plugin.spct.scalar_data import ScalarRow
from grm_plugin.spct.scalar_pairs import Compared
from grm_plugin.types.scalars import sigmoid

_STEEPEST, _FLATTEST = 1e3, 1e-3  # of 1 / spread
_STEPS = 100

Scored = tuple[Compared, Sequence[float]]
"""A group, and N logits; NaN where there is none."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The scale of logits: (logit - center) / spread is a scaled score.

    Args:
        center: the mean logit.
        spread: > 0; the difference of two scaled scores is the log odds that the first response is
            better, as likely as can be on the pairs it was fitted to. Of judged ones that is what
            all votes come to, not each by itself, and a pair counts by how far that is known.
        pairs: that it was fitted to; of none it is 0 and 1.
    """

    center: float = 0.0
    spread: float = 1.0
    pairs: int = 0


@dataclass(frozen=True, slots=True)
class ScalarReport:
    """Figures of a scalar RM on held-out groups.

    Args:
        groups, pairs: that were scored; a tie of the judge is a pair of calibration alone.
        accuracy: share of pairs, 0..1, whose better response has the higher logit, a mean over
            groups; a tie of the logits counts one half.
        calibrated: the scale that is fitted to these pairs.
        calibration: of the scaled scores: of pairs claimed to be right with p, how many are; p of
            judged ones is less by how far their votes may err.
    """

    groups: int
    pairs: int
    accuracy: Estimate
    calibrated: Calibrated
    calibration: Calibration


def scalar_report(
    rows: Sequence[ScalarRow], logits_G_N: Sequence[Sequence[float]]
) -> ScalarReport | None:
    """The figures of ``logits_G_N`` about ``rows``; None where all pairs are ties.

    Args:
        rows: held-out groups.
        logits_G_N: of their responses; a NaN was not given, and its pairs are left out.
    """
    scored = [(row.compared, logits_N) for row, logits_N in zip(rows, logits_G_N, strict=True)]
    found = calibrated(scored)
    right = [(_accuracy(one), row.cluster) for one, row in zip(scored, rows, strict=True)]
    known = [(share, cluster) for share, cluster in right if not math.isnan(share)]
    if not known:
        return None
    claims = list(_claims(scored, found.spread))
    return ScalarReport(
        groups=len(known),
        pairs=len(claims),
        accuracy=bootstrap([share for share, _ in known], clusters=[one for _, one in known]),
        calibrated=found,
        calibration=calibration([one.expected for one in claims], [one.right for one in claims]),
    )


def calibrated(scored: Sequence[Scored]) -> Calibrated:
    """Center and spread of logits, fitted to all pairs of ``scored`` that have two."""
    known = [logit for _, logits_N in scored for logit in logits_N if not math.isnan(logit)]
    claims = list(_claims(scored, 1.0))
    if not claims:
        return Calibrated()
    return Calibrated(statistics.fmean(known), 1 / _steepness(claims), len(claims))


def accuracy_of(scored: Sequence[Scored]) -> float | None:
    """The share of pairs in their order, a mean over groups; None where all are ties."""
    known = [share for one in scored if not math.isnan(share := _accuracy(one))]
    return statistics.fmean(known) if known else None


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a scalar RM claims of a pair.

    Args:
        apart: the log odds that its order is right, >= 0.
        right: 1 where it is, 0 where it is not, 1/2 of a tie.
        known: how far that is known, 0..1.
    """

    apart: float
    right: float
    known: float

    @property
    def expected(self) -> float:
        """The log odds that it turns out right, be it by an error of what it is held against."""
        chance = alike(sigmoid(self.apart), (1 + self.known) / 2)
        return math.log(chance / (1 - chance)) if chance < 1 else self.apart


def _steepness(claims: Sequence[_Claim]) -> float:
    """By what log odds are multiplied so that they are those of being right.

    By bisection of the slope of the weighed likelihood, which falls. Who is right is drawn in by
    one part of the weights and two, as Platt does, so that what makes no error has an end, too.
    """
    drawn_in = 1 / (math.fsum(one.known for one in claims) + 2)
    wanted = [
        (one.apart, one.right * (1 - 2 * drawn_in) + drawn_in, one.known * one.apart)
        for one in claims
        if one.apart
    ]
    low, high = _FLATTEST, _STEEPEST
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        slope = math.fsum(pull * (goal - sigmoid(middle * apart)) for apart, goal, pull in wanted)
        low, high = (middle, high) if slope > 0 else (low, middle)
    return math.sqrt(low * high) if wanted else 1.0


def _claims(scored: Sequence[Scored], spread: float) -> Iterator[_Claim]:
    """Those of every pair that has two logits."""
    for compared, logits_N in scored:
        for pair in compared.pairs:
            apart = (logits_N[pair.first] - logits_N[pair.second]) / spread
            if not math.isnan(apart):
                right = pair.order if apart >= 0 else 1 - pair.order
                yield _Claim(abs(apart), right, pair.known)


def _accuracy(scored: Scored) -> float:
    """The share of decided pairs that the logits put in their order; NaN where there is none."""
    compared, logits_N = scored
    found = [
        _agree(logits_N[pair.first] - logits_N[pair.second], pair.target - 0.5)
        for pair in compared.pairs
        if pair.target != 0.5
    ]
    known = [one for one in found if not math.isnan(one)]
    return statistics.fmean(known) if known else math.nan


def _agree(apart: float, wanted: float) -> float:
    if math.isnan(apart):
        return apart
    return 0.5 if apart == 0 else float((apart > 0) == (wanted > 0))
