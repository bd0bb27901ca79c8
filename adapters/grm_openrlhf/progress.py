"""How far training has come, as far as one rollout actor can tell."""

from __future__ import annotations

import math

from grm_plugin.hosts.averages import mean
from grm_plugin.schedule import Schedule
from grm_plugin.size import Size


class Progress:
    """Counts training groups, since the host tells its agents no step.

    A step is over for an actor once it has judged its share of a step's prompts. That is exact
    when every group is trained on once; groups that dynamic filtering drops, or that async
    training makes ahead, let the count run ahead of the trainer. A resumed run goes on at the step
    of its checkpoint; the rewards before it are not known.

    Args:
        schedule: what says how many judgments a group gets; None leaves that to ``k``.
        groups_per_step: the actor's share.
        first_step: steps that were over before.
    """

    def __init__(
        self, schedule: Schedule | None, groups_per_step: int, *, first_step: int = 0
    ) -> None:
        self._schedule, self._groups_per_step = schedule, groups_per_step
        self._first_step = first_step
        self._means: list[float] = []
        self._open: list[float] = []

    @property
    def step(self) -> int:
        """Training steps that are over, from 0."""
        return self._first_step + len(self._means)

    def size(self) -> Size | None:
        """How many judgments a group gets now."""
        return self._schedule.size_for(self.step, self._means) if self._schedule else None

    def judged(self, reward: float) -> None:
        """Count one training group; ``reward`` is its mean, NaN when it is unscored."""
        self._open.append(reward)
        if len(self._open) == self._groups_per_step:
            self._means.append(mean(one for one in self._open if not math.isnan(one)))
            self._open = []
