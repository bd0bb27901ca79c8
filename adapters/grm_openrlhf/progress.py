"""How far training has come, as far as one rollout actor can tell."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.schedule import Schedule
from grm_plugin.size import Size
from grm_plugin.types import Verdict
from grm_plugin.types.training import when_of

_LATE = 2  # steps by which groups of other actors may be heard of late


class Progress:
    """Counts training groups, since the host tells its agents no step.

    A step is over for an actor once it has judged its share of a step's prompts. That is exact
    when every group is trained on once; groups that dynamic filtering drops, or that async
    training makes ahead, let the count run ahead of the trainer. A schedule goes by the groups of
    all actors in a step, as far as they are heard of. A resumed run goes on at the step of its
    checkpoint, with what the launcher found on record of the steps before.

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
        self._metric = schedule.metric if schedule else None
        self._first = self._step = first_step
        self._own = 0
        earlier = [math.nan if one is None else one for one in seen]
        self._seen = earlier + [math.nan] * (first_step - len(earlier))
        self._steps: dict[int, Tally] = defaultdict(Tally)  # those that still change

    @property
    def step(self) -> int:
        """Training steps that are over, from 0."""
        return self._step

    @property
    def hears(self) -> bool:
        """Whether what other actors judge matters."""
        return self._metric is not None

    def size(self) -> Size | None:
        """How many judgments a group gets now."""
        return self._schedule.size_for(self.step, self._seen) if self._schedule else None

    def judged(self, verdict: Verdict) -> None:
        """Count one training group of this actor, scored or not."""
        self._steps[self._step].add(verdict)
        self._own += 1
        if self._own == self._groups_per_step:
            self._step, self._own = self._step + 1, 0
            self._seen.append(math.nan)
            self._look_at([self._step - 1])
            self._steps.pop(self._step - 1 - _LATE, None)

    def heard(self, verdicts: Iterable[Verdict]) -> None:
        """Count training groups of other actors in their steps, but those that come too late."""
        steps, oldest = set(), max(self._first, self._step - _LATE)
        for verdict in verdicts:
            _, step = when_of(verdict.group) or ("", -1)
            if step >= oldest:
                self._steps[step].add(verdict)
                steps.add(step)
        self._look_at(steps)

    def _look_at(self, steps: Iterable[int]) -> None:
        """Tell the schedule what is known now of steps that are over."""
        if self._metric:
            for step in steps:
                if step < self._step:
                    self._seen[step] = numbers(self._steps[step])[self._metric]
