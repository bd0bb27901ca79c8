"""What a run did before it was stopped, from its records: a run that is resumed goes on with it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.records import read_verdicts
from grm_plugin.types import Cost, Verdict
from grm_plugin.types.training import PHASE, STEP, TRAIN

BUDGET_ANEW = "the budget counts from here on"


def told_anew(steps: int, what: Iterable[str]) -> str:
    """What is told of a run that goes on without a record of what was.

    Args:
        steps: that are over.
        what: begins anew.
    """
    return (
        f"nothing of the steps before {steps} is on record, so {' and '.join(what)}; a run with a "
        "record goes on"
    )


@dataclass
class Earlier:
    """All that records hold.

    Args:
        steps: the training groups of each step.
        cost: of everything, evaluations and steps behind the last checkpoint included.
        groups: verdicts there are.
    """

    steps: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    cost: Cost = field(default_factory=Cost)
    groups: int = 0

    @classmethod
    def of(cls, records: Iterable[Path]) -> Earlier:
        """What stands in ``records``, those of all processes of the run.

        Raises:
            RecordError: one of them can not be read.
        """
        found = cls()
        for record in records:
            for verdict in read_verdicts(record):
                found.add(verdict)
        return found

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        self.groups += 1
        self.cost += verdict.spent
        step, phase = (verdict.group.metadata.get(name) for name in (STEP, PHASE))
        if phase == TRAIN and isinstance(step, int):
            self.steps[step].add(verdict)

    def by_step(self, metric: str, steps: int) -> list[float | None]:
        """A metric in each of the first ``steps`` training steps; None where nothing tells it.

        Args:
            metric: as :data:`grm_plugin.hosts.metrics.METRICS` names it.
            steps: at least 0; those on record behind them were undone by the stop.
        """
        empty = Tally()
        values = (numbers(self.steps.get(step, empty))[metric] for step in range(steps))
        return [value if math.isfinite(value) else None for value in values]
