"""A group under way: what was drawn of it, who voted, and the verdict it comes to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.origin import SCALAR_VERSION
from grm_plugin.pipeline.pricing import Pricing
from grm_plugin.pipeline.selecting import Selection
from grm_plugin.pipeline.settling import Settled
from grm_plugin.prompts import Prepared
from grm_plugin.size import Size
from grm_plugin.types import Cost, Failure, Judgment, Sample, Verdict


@dataclass
class Course:
    """What happened to a group so far.

    Args:
        case: the group.
        prepared: the same, ready to render.
        started: ``time.monotonic()`` when its judging began.
        size: how many samples might be drawn; a stopper may have ended it before.
        samples: what was drawn.
        probes: what was drawn to find out which response breaks the group; it has no vote.
        selection: who votes; None before anybody was asked.
        blamed: why single responses are left out, by index.
    """

    case: Case
    prepared: Prepared
    started: float
    size: Size
    samples: list[Sample] = field(default_factory=list)
    probes: Sequence[Sample] = ()
    selection: Selection | None = None
    blamed: Mapping[int, str] = field(default_factory=dict)

    @property
    def valid(self) -> tuple[Judgment, ...]:
        """The readable samples."""
        return tuple(one for one in self.samples if isinstance(one, Judgment))

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The dropped samples."""
        return tuple(one for one in self.samples if isinstance(one, Failure))

    def postpone(self, seconds: float, latest: float) -> None:
        """Begin so many seconds later, with as much time as before, but not beyond ``latest``."""
        self.started += seconds
        later = min(latest, self.case.deadline + seconds)
        self.case = replace(self.case, deadline=later)

    def verdict(self, settled: Settled, origin: Mapping[str, Any], pricing: Pricing) -> Verdict:
        """Everything as the caller gets it."""
        case, selection = self.case, self.selection or Selection(self.valid, self.failed)
        responses = {**settled.responses, **self.blamed} if settled.rewards else {}
        return Verdict(
            group=case.asked,
            rewards=settled.rewards,
            judgments=tuple(_with_copies(one, case.copies) for one in selection.judgments),
            failures=selection.failures,
            unscored=settled.unscored and settled.unscored + _dropped(selection.failures),
            cost=self._cost(selection, pricing),
            origin=self._with_version(origin),
            shown=None if case.shown is case.asked else case.shown,
            unscored_responses={n: responses[n] for n in sorted(responses)},
            scalar=case.scalar,
        )

    def _with_version(self, origin: Mapping[str, Any]) -> Mapping[str, Any]:
        """``origin`` with the version of the scalar RM, where that changes during a run."""
        version = self.case.scalar.version if self.case.scalar else ""
        return {**origin, SCALAR_VERSION: version} if version else origin

    def _cost(self, selection: Selection, pricing: Pricing) -> Cost:
        """Of all samples, as the selector left them: it may have added what a rating cost."""
        samples = [*selection.judgments, *selection.failures, *self.probes]
        scalar, flops = self.case.scalar, pricing.flops(samples, selection.tokens)
        rating = Cost(money=scalar.money, flops=scalar.flops) if scalar else Cost()
        return Cost.of(samples, time.monotonic() - self.started, flops) + rating


def _dropped(failures: Sequence[Failure]) -> str:
    if not failures:
        return ""
    counts = Counter(failure.reason for failure in failures)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    return f" (dropped: {reasons}; first: {failures[0].detail})"


def _with_copies(judgment: Judgment, copies: Sequence[int]) -> Judgment:
    """Give every duplicate the score of the copy that was shown."""
    if all(n == copy for n, copy in enumerate(copies)):
        return judgment
    return replace(judgment, scores=tuple(judgment.scores[n] for n in copies))
