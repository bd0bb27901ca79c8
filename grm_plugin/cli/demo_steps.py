"""What one step of the demo's training run shows, and how its curves are read."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

EDGE = 10
"""Steps that count as the start and as the end of a run."""


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step.

    Args:
        number: from 1.
        judge_reward: mean over the step's responses, 0..1; NaN when the judge scored none.
        true_quality: mean fraction of a query's requirements that the responses fulfil, 0..1.
    """

    number: int
    judge_reward: float
    true_quality: float


def edges(curve: Sequence[float]) -> tuple[float, float]:
    """The means of the first and of the last :data:`EDGE` steps; of fewer in a short run."""
    size = max(1, min(EDGE, len(curve) // 2))
    return _mean(curve[:size]), _mean(curve[-size:])


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if value == value]
    return statistics.fmean(known) if known else float("nan")
