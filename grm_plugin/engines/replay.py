"""The ``replay`` engine: recorded samples instead of a judge, for audit and re-voting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grm_plugin.engine import Limits, SampleRequest
from grm_plugin.errors import EngineError, RecordedFailure
from grm_plugin.options import Options, read_options
from grm_plugin.records import read_verdicts
from grm_plugin.types import Draw, Failure, Group, Judgment, Message, Reason


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

    context_tokens: int | None = None

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.path = read_options(ReplayOptions, "engine 'replay'", options).path
        self.model = f"replay of {self.path.name}"
        self._samples: dict[str, dict[tuple[int, int], Judgment | Failure]] = {}

    async def start(self) -> None:
        for verdict in read_verdicts(self.path):
            samples: list[Judgment | Failure] = [*verdict.judgments, *verdict.failures]
            numbered = {(each.run, each.sample): each for each in samples}
            self._samples[verdict.group.fingerprint] = dict(sorted(numbered.items()))

    def recorded_runs(self, group: Group) -> list[tuple[int, ...]]:
        """Which responses were shown together; all of them when the group is not on record."""
        samples = self._samples.get(group.fingerprint, {})
        runs = dict.fromkeys(tuple(sorted(each.order)) for each in samples.values())
        return list(runs) or [tuple(range(len(group.responses)))]

    def recorded_k(self, group: Group) -> int | None:
        """How many samples were drawn for a group; None when it is not on record."""
        return (
            len(self._samples.get(group.fingerprint, {})) // len(self.recorded_runs(group)) or None
        )

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        first = request.first
        return [self._draw(request.group, request.run, k) for k in range(first, first + request.n)]

    def _draw(self, group: str, run: int, k: int) -> Draw | EngineError:
        found = self._samples.get(group, {}).get((run, k))
        if isinstance(found, Judgment) or (found and _was_read(found)):
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


def _was_read(failure: Failure) -> bool:
    """Whether the judgment was fine and only the selector had no answer for it."""
    return bool(failure.text) and failure.reason in (Reason.META, Reason.TIMEOUT)


def _again(sample: Judgment | Failure) -> Draw:
    return Draw(
        sample.text,
        "stop",
        sample.prompt_tokens,
        sample.output_tokens,
        sample.seconds,
        sample.tokens if isinstance(sample, Judgment) else (),
        sample.order,
        sample.meta_score if isinstance(sample, Judgment) else None,
    )
