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
from grm_plugin.records.standing import Resumes
from grm_plugin.types import Cost, Verdict
from grm_plugin.types.training import TRAIN, when_of

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
        steps: the training groups of each step, as it was done last.
        cost: of everything, evaluations and steps behind the last checkpoint included.
        groups: verdicts there are.
    """

    steps: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    cost: Cost = field(default_factory=Cost)
    groups: int = 0
    _resumes: Resumes = field(default_factory=Resumes)

    @classmethod
    def of(cls, records: Iterable[Path]) -> Earlier:
        """What stands in ``records``, those of all processes of the run.

        Raises:
            RecordError: one of them can not be read.
        """
        found = cls()
        for record in records:
            one = cls()
            for verdict in read_verdicts(record):
                one.add(verdict)
            found._join(one)
        return found

    def add(self, verdict: Verdict) -> None:
        """Count one verdict, the next of one process; steps that are done again count once."""
        self.groups += 1
        self.cost += verdict.spent
        undone = self._resumes.undone_from(verdict)
        for step in [one for one in self.steps if undone is not None and one >= undone]:
            del self.steps[step]
        phase, step = when_of(verdict.group) or ("", 0)
        if phase == TRAIN:
            self.steps[step].add(verdict)

    def _join(self, other: Earlier) -> None:
        """Count what another process did as well."""
        self.groups += other.groups
        self.cost += other.cost
        for step, tally in other.steps.items():
            self.steps[step] += tally

    def by_step(self, metric: str, steps: int) -> list[float | None]:
        """A metric in each of the first ``steps`` training steps; None where nothing tells it.

        Args:
            metric: as :data:`grm_plugin.hosts.metrics.METRICS` names it.
            steps: at least 0; those on record behind them were undone by the stop.
        """
        empty = Tally()
        values = (numbers(self.steps.get(step, empty))[metric] for step in range(steps))
        return [value if math.isfinite(value) else None for value in values]
