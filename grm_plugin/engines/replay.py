"""The ``replay`` engine: recorded samples instead of a judge, for audit and re-voting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grm_plugin.engine import Draw, Limits, Recorded, SampleRequest
from grm_plugin.errors import EngineError, RecordedFailure
from grm_plugin.options import Options, read_options
from grm_plugin.records import read_verdicts
from grm_plugin.size import MAX_K
from grm_plugin.types import Failure, Group, Judgment, Message, Reason, Sample, Verdict


class ReplayOptions(Options):
    """Which record is replayed.

    Args:
        path: a JSONL file of recorded verdicts.
    """

    path: Path


class ReplayEngine:
    """Gives back what was recorded for a group, sample by sample, in the recorded orders.

    A sample that failed fails again for the same reason, unless only the selector failed; one
    that is not on record fails as ``missing``. Groups are found by fingerprint, so input order
    does not matter; of a group recorded twice, the last verdict counts.
    """

    Options = ReplayOptions
    context_tokens: int | None = None

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.path = read_options(ReplayOptions, "engine 'replay'", options).path
        self.model = f"replay of {self.path.name}"
        self._verdicts: dict[str, Verdict] = {}

    async def start(self) -> None:
        self._verdicts = {one.group.fingerprint: one for one in read_verdicts(self.path)}

    def recorded(self, group: Group) -> Recorded:
        """How a group was judged: all of it in one run, when it is not on record."""
        verdict = self._verdicts.get(group.fingerprint)
        samples = _samples(verdict)
        runs = {run: tuple(sorted(one.order)) for (run, _), one in samples.items()}
        if verdict is None:
            return Recorded(runs=(tuple(range(len(group.responses))),))
        judged = tuple(runs[run] for run in sorted(runs)) or (tuple(range(len(group.responses))),)
        return Recorded(
            k=verdict.drawn or None,
            runs=judged,
            shown=verdict.shown,
            plan=verdict.origin.get("plan") if runs else None,
            most=_most(verdict),
            scalar=verdict.scalar,
            sure=_sure(verdict),
            control=verdict.control,
        )

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        verdict, first = self._verdicts.get(request.group), request.first
        samples = _samples(verdict)
        missing = self._missing(verdict)
        return [
            self._draw(samples.get((request.run, number)), request.group, number, missing)
            for number in range(first, first + request.n)
        ]

    def _draw(
        self, found: Sample | None, group: str, number: int, missing: str
    ) -> Draw | EngineError:
        if isinstance(found, Judgment) or (found and _was_read(found)):
            return _again(found)
        if isinstance(found, Failure):
            return RecordedFailure(found.reason, found.detail)
        return RecordedFailure(Reason.MISSING, f"sample {number} of group {group[:8]} {missing}")

    def _missing(self, verdict: Verdict | None) -> str:
        """Why a sample is not there."""
        if verdict and verdict.scalar and not verdict.scalar.judged:
            return (
                f"was never drawn: on record in {self.path} a scalar RM decided this group without "
                "the judge"
            )
        return f"is not in {self.path}"

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return None

    async def close(self) -> None:
        self._verdicts.clear()


_SELECTORS = (Reason.META, Reason.TIMEOUT, Reason.REFUSED)


def _samples(verdict: Verdict | None) -> dict[tuple[int, int], Sample]:
    """The samples of a recorded group by run and number."""
    found: list[Sample] = [*verdict.judgments, *verdict.failures] if verdict else []
    return {(one.run, one.sample): one for one in found}


def _most(verdict: Verdict) -> int | None:
    k = verdict.origin.get("k")
    return k if isinstance(k, int) and verdict.drawn <= k <= MAX_K else None


def _sure(verdict: Verdict) -> float | None:
    """What a cascade was set to; None where it was none."""
    told = verdict.origin.get("scalar")
    sure = told.get("sure") if isinstance(told, Mapping) else None
    return float(sure) if isinstance(sure, int | float) else None


def _was_read(failure: Failure) -> bool:
    """Whether the judgment was fine and only the selector had no answer for it."""
    return bool(failure.text) and failure.reason in _SELECTORS


def _again(sample: Sample) -> Draw:
    return Draw(
        sample.text,
        "stop",
        sample.prompt_tokens,
        sample.output_tokens,
        sample.seconds,
        tokens=sample.tokens,
        said=sample.said,
        order=sample.order,
        meta_score=sample.meta_score if isinstance(sample, Judgment) else None,
        money=sample.money,
        cached_tokens=sample.cached_tokens,
        flops=sample.flops,
    )
