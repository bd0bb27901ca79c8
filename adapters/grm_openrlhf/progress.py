"""How far training has come, as far as one rollout actor can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence

from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.schedule import Schedule
from grm_plugin.size import Size
from grm_plugin.types import Verdict


class Progress:
    """Counts training groups, since the host tells its agents no step.

    A step is over for an actor once it has judged its share of a step's prompts. That is exact
    when every group is trained on once; groups that dynamic filtering drops, or that async
    training makes ahead, let the count run ahead of the trainer. A resumed run goes on at the step
    of its checkpoint, with what the launcher found on record of the steps before.

    Args:
        schedule: what says how many judgments a group gets; None leaves that to ``k``.
        groups_per_step: the actor's share.
        first_step: steps that were over before.
        seen: what they said of the schedule's metric, one a step; None: nothing.
    """

    def __init__(
        self,
        schedule: Schedule | None,
        groups_per_step: int,
        *,
        first_step: int = 0,
        seen: Sequence[float | None] = (),
    ) -> None:
        self._schedule, self._groups_per_step = schedule, groups_per_step
        self._step = first_step
        self._seen = [math.nan if one is None else one for one in seen]
        self._open = Tally()

    @property
    def step(self) -> int:
        """Training steps that are over, from 0."""
        return self._step

    def size(self) -> Size | None:
        """How many judgments a group gets now."""
        return self._schedule.size_for(self.step, self._seen) if self._schedule else None

    def judged(self, verdict: Verdict) -> None:
        """Count one training group, scored or not."""
        self._open.add(verdict)
        if self._open.groups == self._groups_per_step:
            if self._schedule and self._schedule.metric:
                self._seen.append(numbers(self._open)[self._schedule.metric])
            self._step, self._open = self._step + 1, Tally()
