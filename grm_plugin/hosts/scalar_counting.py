"""What a scalar RM does beside the judge, counted over verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from statistics import fmean

from grm_plugin.correlation import Correlation
from grm_plugin.hosts.averages import Mean
from grm_plugin.pipeline.scalar_voting import ScalarRule
from grm_plugin.types import Judgment, Scalar, Verdict


@dataclass
class ScalarTally:
    """Counts over the verdicts that have scalar scores; add them one by one, or add tallies.

    Args:
        groups: that the scalar RM was asked about.
        judged: those of them about which the judge was asked, too.
        decided: those about which it was not, with two scores or more that are votes.
        saturated: those of them whose votes are nearly alike though the scalar RM is sure.
        sureness: of those that have one.
        audited: those of which the scalar RM was sure all the same.
        audits: agreement of the judge, of each of these in which it has an opinion.
        claims: the agreement that the scalar RM claims, of each of the same.
        responses: that it was asked about, and ``failed`` of them got no score.
        correlation: of scalar scores and the judge's mean scores, within groups.
        sure: the threshold of the cascade, of each group that met one.
        prompt_tokens: that it read, where it tells.
    """

    groups: int = 0
    judged: int = 0
    decided: int = 0
    saturated: int = 0
    sureness: Mean = field(default_factory=Mean)
    audited: int = 0
    audits: Mean = field(default_factory=Mean)
    claims: Mean = field(default_factory=Mean)
    responses: int = 0
    failed: int = 0
    correlation: Correlation = field(default_factory=Correlation)
    sure: Mean = field(default_factory=Mean)
    prompt_tokens: int = 0

    def __add__(self, other: ScalarTally) -> ScalarTally:
        sums = (getattr(self, one.name) + getattr(other, one.name) for one in fields(self))
        return ScalarTally(*sums)

    def add(self, verdict: Verdict) -> None:
        """Count one verdict; nothing without scalar scores."""
        scalar = verdict.scalar
        if scalar is None:
            return
        self.groups += 1
        self.judged += scalar.judged
        self.audited += scalar.audited
        self.responses += len(scalar.scores)
        self.failed += len(scalar.failures)
        self.prompt_tokens += scalar.prompt_tokens
        if scalar.sureness is not None:
            self.sureness.add(scalar.sureness)
            self._add_decided(scalar, ScalarRule.on_record(verdict.origin, ""))
        if scalar.sure is not None:
            self.sure.add(scalar.sure)
        if scalar.audited and scalar.agreement is not None:
            self.audits.add(scalar.agreement)
        if scalar.audited and scalar.claim is not None:
            self.claims.add(scalar.claim)
        self.correlation.add(_beside(scalar, [one for one in verdict.judgments if one.voted]))

    def _add_decided(self, scalar: Scalar, rule: ScalarRule) -> None:
        if not (scalar.judged or rule.raw):
            self.decided += 1
            self.saturated += scalar.saturated

    @property
    def judged_rate(self) -> float:
        """Share of the groups about which the judge was asked, too; NaN before the first."""
        return self.judged / self.groups if self.groups else math.nan


def _beside(scalar: Scalar, voted: Sequence[Judgment]) -> list[tuple[float, float]]:
    """Of each response that has both, its scalar score and its mean score by the judge (points)."""
    found = []
    for n, logit in enumerate(scalar.scores):
        points = [one.scores[n] for one in voted]
        known = [one for one in points if one is not None]
        if logit is not None and known:
            found.append((logit, fmean(known)))
    return found
