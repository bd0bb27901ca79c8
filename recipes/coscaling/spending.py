"""What the rewards of a run cost; a control judge, which rewards nothing, is left out."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from grm_plugin import hookimpl
from grm_plugin.errors import RecordError
from grm_plugin.types import Verdict


def spent(verdicts: Sequence[Verdict], record: Path) -> dict[str, float]:
    """FLOPs of the judge, its meta RM and the scalar RM; and tokens that the judge wrote.

    Args:
        verdicts: of some groups.
        record: where they stand, for messages.

    Raises:
        RecordError: the FLOPs of one are not known; no arm is cheap for want of a number.
    """
    return {
        "flops": math.fsum(_flops(one, record) for one in verdicts),
        "tokens": sum(one.cost.output_tokens for one in verdicts),
    }


def _flops(verdict: Verdict, record: Path) -> float:
    if verdict.cost.flops is None:
        raise RecordError(
            f"record {record}: group {verdict.group.label}: cost.flops: expected what its judging "
            "took, got null; set flops_per_token, and scalar.flops_per_token where there is a "
            "scalar RM, to twice the active parameters, and run the arm anew"
        )
    return verdict.cost.flops


class Spending:
    """A plug-in of the judge that knows its verdicts since they were last taken.

    They come in on a thread of the observers' own, so one may be counted a moment late.

    Args:
        record: where they stand, for messages.
    """

    def __init__(self, record: Path) -> None:
        self.record = record
        self._verdicts: deque[Verdict] = deque()

    @hookimpl
    def grm_on_verdict(self, verdict: Verdict) -> None:
        """Take note of one."""
        self._verdicts.append(verdict)

    def taken(self) -> list[Verdict]:
        """Those since the last call."""
        return [self._verdicts.popleft() for _ in range(len(self._verdicts))]
