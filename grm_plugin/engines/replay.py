"""The ``replay`` engine: recorded samples instead of a judge, for audit and re-voting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grm_plugin.engines.engine import Limits, SampleRequest
from grm_plugin.errors import EngineError, RecordedFailure
from grm_plugin.options import Options, read_options
from grm_plugin.records import read_verdicts
from grm_plugin.types import Draw, Failure, Group, Judgment, Message, Reason, Verdict


class ReplayOptions(Options):
    """``path``: a JSONL file of recorded verdicts."""

    path: Path


class ReplayEngine:
    """Gives back what was recorded for a group, sample by sample, in the recorded orders.

    A sample that failed fails again for the same reason; one that is not on record fails as
    ``missing``. Groups are found by fingerprint, so input order does not matter.
    """

    context_tokens: int | None = None

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.path = read_options(ReplayOptions, "engine 'replay'", options).path
        self.model = f"replay of {self.path.name}"
        self._samples: dict[tuple[str, int], Judgment | Failure] = {}
        self._runs: dict[str, dict[tuple[int, ...], None]] = {}

    async def start(self) -> None:
        for verdict in read_verdicts(self.path):
            self._keep(verdict)

    def _keep(self, verdict: Verdict) -> None:
        group = verdict.group.fingerprint
        runs = self._runs.setdefault(group, {})
        samples: list[Judgment | Failure] = [*verdict.judgments, *verdict.failures]
        for sample in sorted(samples, key=lambda sample: sample.sample):
            self._samples[group, sample.sample] = sample
            runs[tuple(sorted(sample.order))] = None

    def recorded_runs(self, group: Group) -> list[tuple[int, ...]]:
        """Which responses were shown together; all of them when the group is not on record."""
        return list(self._runs.get(group.fingerprint, {tuple(range(len(group.responses))): None}))

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        first = request.first
        return [self._draw(request.group, k) for k in range(first, first + request.n)]

    def _draw(self, group: str, k: int) -> Draw | EngineError:
        found = self._samples.get((group, k))
        if isinstance(found, Judgment):
            return _again(found)
        if isinstance(found, Failure):
            return RecordedFailure(found.reason, found.detail)
        return RecordedFailure(
            Reason.MISSING, f"sample {k} of group {group[:8]} is not in {self.path}"
        )

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return None

    async def close(self) -> None:
        self._samples.clear()
        self._runs.clear()


def _again(judgment: Judgment) -> Draw:
    return Draw(
        judgment.text,
        "stop",
        judgment.prompt_tokens,
        judgment.output_tokens,
        judgment.seconds,
        judgment.order,
        judgment.meta_score,
    )
