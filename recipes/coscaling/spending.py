"""What the rewards of a run cost; a control judge, which rewards nothing, is left out."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from grm_plugin import hookimpl
from grm_plugin.types import Verdict


def spent(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """FLOPs of the judge, its meta RM and the scalar RM; and tokens that the judge wrote."""
    return {
        "flops": math.fsum(one.cost.flops or 0.0 for one in verdicts),
        "tokens": sum(one.cost.output_tokens for one in verdicts),
    }


class Spending:
    """A plug-in of the judge that knows its verdicts since they were last taken.

    They come in on a thread of the observers' own, so one may be counted a moment late.
    """

    def __init__(self) -> None:
        self._verdicts: deque[Verdict] = deque()

    @hookimpl
    def grm_on_verdict(self, verdict: Verdict) -> None:
        """Take note of one."""
        self._verdicts.append(verdict)

    def taken(self) -> list[Verdict]:
        """Those since the last call."""
        return [self._verdicts.popleft() for _ in range(len(self._verdicts))]
