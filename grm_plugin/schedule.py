"""How many judgments a reward is worth while training goes on: k as a function of what was seen.

Early on, responses differ so much that few judgments tell them apart; later rewards level off, and
more judgments are needed for the same signal. A schedule lets k grow by step, or when rewards
saturate. Everything here is pure; whoever trains asks it for a size and judges with that.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from pydantic import Field, field_validator

from grm_plugin.errors import ConfigError
from grm_plugin.options import Options, read_options
from grm_plugin.size import Size


class Stage(Size):
    """A size that holds from training step ``step`` on, counted from 0."""

    step: int = Field(ge=0)


class StepSchedule(Options):
    """Sizes that change at given steps; the first stage starts at step 0.

    Args:
        by: says that the steps decide.
        stages: sizes, each with the `step` it starts at.

    >>> schedule = StepSchedule(stages=({"step": 0, "k": 2}, {"step": 50, "k": 8}))
    >>> [schedule.size_for(step, ()).k for step in (0, 49, 50)]
    [2, 2, 8]
    """

    by: Literal["step"] = "step"
    stages: tuple[Stage, ...] = Field(min_length=1)

    @field_validator("stages")
    @classmethod
    def _in_order(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        steps = [stage.step for stage in stages]
        if steps[0] != 0 or any(later <= earlier for earlier, later in pairwise(steps)):
            raise ValueError(f"expected rising steps from 0 on, got {steps}")
        return stages

    def size_for(self, step: int, rewards: Sequence[float]) -> Size:
        """The size at training step ``step``; the rewards do not matter.

        Raises:
            ValueError: ``step`` is below 0.
        """
        if not step >= 0:
            raise ValueError(f"schedule: step: expected a step from 0 on, got {step!r}")
        return [stage for stage in self.stages if stage.step <= step][-1]

    def every_size(self) -> dict[str, Size]:
        """All its sizes, by the name that messages give them."""
        return {f"stages.{place}": stage for place, stage in enumerate(self.stages)}


class SaturationSchedule(Options):
    """Sizes that follow each other whenever the mean reward has stopped rising.

    It has stopped when the mean of the last ``window`` steps exceeds that of the ``window`` steps
    before by less than ``rise``. Only steps since the last change count: a new size gets
    ``2 * window`` steps at least, and a jump of the rewards that comes with it is no progress.

    Args:
        by: says that the rewards decide.
        sizes: one after the other; the last one stays.
        window: steps over which rewards are averaged.
        rise: what counts as rising, in the unit of the rewards.

    >>> schedule = SaturationSchedule(sizes=({"k": 2}, {"k": 8}), window=2, rise=0.1)
    >>> [schedule.size_for(4, seen).k for seen in ([0.1, 0.2, 0.3, 0.5], [0.5, 0.5, 0.5, 0.5])]
    [2, 8]
    """

    by: Literal["saturation"] = "saturation"
    sizes: tuple[Size, ...] = Field(min_length=1)
    window: int = Field(20, ge=1)
    rise: float = Field(0.01, ge=0)

    def size_for(self, step: int, rewards: Sequence[float]) -> Size:
        """The size after the mean rewards ``rewards``, one a step; the step itself does not matter.

        A step without any reward is NaN and does not count.
        """
        seen = [reward for reward in rewards if not math.isnan(reward)]
        level = start = 0
        for end in range(1, len(seen) + 1):
            if end - start >= 2 * self.window and self._flat(seen[end - 2 * self.window : end]):
                level, start = level + 1, end
        return self.sizes[min(level, len(self.sizes) - 1)]

    def every_size(self) -> dict[str, Size]:
        """All its sizes, by the name that messages give them."""
        return {f"sizes.{place}": size for place, size in enumerate(self.sizes)}

    def _flat(self, rewards: Sequence[float]) -> bool:
        before, last = rewards[: self.window], rewards[self.window :]
        return statistics.fmean(last) - statistics.fmean(before) < self.rise


Schedule = StepSchedule | SaturationSchedule

_KINDS: dict[str, type[Schedule]] = {
    "step": StepSchedule,
    "saturation": SaturationSchedule,
}


def read_schedule(values: Mapping[str, Any]) -> Schedule:
    """A schedule from its settings.

    Raises:
        ConfigError: names the key, what was expected and what came.
    """
    by = values.get("by")
    kind = _KINDS.get(by) if isinstance(by, str) else None
    if kind is None:
        raise ConfigError(f"schedule: by: expected {' or '.join(_KINDS)}, got {by!r}")
    return read_options(kind, "schedule", values)
