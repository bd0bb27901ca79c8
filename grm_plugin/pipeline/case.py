"""One group on its way through the pipeline: what was asked, what is shown, and within what."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from grm_plugin.pipeline.planning import distinct, looks
from grm_plugin.running.budget import Allowance
from grm_plugin.size import Size
from grm_plugin.types import Group, Sample, Scalar, Verdict

Run = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """Everything that is known of a group before the judge speaks.

    Args:
        asked: what the caller gave; seeds, resume and replay go by its fingerprint.
        shown: what the judge sees: the same, and what sources of evidence and principles added.
        runs: which responses are shown together, as indices of the group: all in one run, a run
            each, a run a pair, or overlapping runs that fit the judge's context.
        copies: for every response the index of the one judged for it: itself, or its first copy.
        size: samples of each run.
        min_valid: valid samples a run needs before it gives rewards.
        deadline: ``time.monotonic()`` by which the verdict is due.
        allowance: what it may spend on the judge.
        scalar: what a scalar RM says of it; None where there is none.
    """

    asked: Group
    shown: Group
    runs: tuple[Run, ...]
    copies: tuple[int, ...]
    size: Size
    min_valid: int
    deadline: float = math.inf
    allowance: Allowance = field(default_factory=Allowance, compare=False)
    scalar: Scalar | None = None

    @classmethod
    def of(cls, verdict: Verdict, *, k: int | None = None, min_valid: int = 1) -> Case:
        """The case of a recorded verdict, to settle its judgments again.

        Args:
            verdict: any verdict, scored or not.
            k: samples of each run that count; None: all.
            min_valid: as above.
        """
        samples: list[Sample] = [*verdict.judgments, *verdict.failures]
        members = {one.run: tuple(sorted(one.order)) for one in samples}
        runs = tuple(members[run] for run in sorted(members))
        shown = verdict.shown or verdict.group
        drawn = max((one.sample + 1 for one in samples), default=1)
        return cls(
            asked=verdict.group,
            shown=shown,
            runs=runs,
            copies=copies(shown, runs),
            size=Size(k=k or drawn),
            min_valid=min_valid,
            scalar=verdict.scalar,
        )

    @property
    def asks_the_judge(self) -> bool:
        """Whether samples of the judge decide, alone or among others."""
        return self.scalar is None or self.scalar.judged

    @property
    def judge_alone(self) -> Case:
        """The same without the scalar RM."""
        return replace(self, scalar=None) if self.scalar else self


def copies(shown: Group, runs: Iterable[Run]) -> tuple[int, ...]:
    """For every response the index of the one judged for it: itself, or its first copy.

    A copy has the same text and, in ``shown``, the same evidence.
    """
    judged = {n for run in runs for n in run}
    first = distinct(looks(shown))[1]
    return tuple(n if n in judged else first[n] for n in range(len(first)))
