"""How many judgments a reward is worth while training goes on: k as a function of what was seen.

Early on, responses differ so much that few judgments tell them apart; later they come close, and
more judgments are needed for the same signal. A schedule lets k grow by step, when rewards
saturate, or with what the votes themselves say of their reliability. Everything here is pure;
whoever trains asks it for a size and judges with that.

A schedule says in ``metric`` which number of a training step it goes by, as
:mod:`grm_plugin.hosts.metrics` names it; None: by the step alone.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from grm_plugin.errors import ConfigError
from grm_plugin.options import Options, read_options
from grm_plugin.reliability import votes_for
from grm_plugin.size import Size


class Stage(Size):
    """A size that holds from a training step on.

    Args:
        step: the first one of it, counted from 0.
    """

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

    metric: ClassVar[str | None] = None
    by: Literal["step"] = "step"
    stages: tuple[Stage, ...] = Field(min_length=1)

    @field_validator("stages")
    @classmethod
    def _in_order(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        steps = [stage.step for stage in stages]
        if steps[0] != 0 or any(later <= earlier for earlier, later in pairwise(steps)):
            raise ValueError(f"expected rising steps from 0 on, got {steps}")
        return stages

    def size_for(self, step: int, seen: Sequence[float]) -> Size:
        """The size at training step ``step``, whatever was seen.

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

    metric: ClassVar[str | None] = "reward_mean"
    by: Literal["saturation"] = "saturation"
    sizes: tuple[Size, ...] = Field(min_length=1)
    window: int = Field(20, ge=1)
    rise: float = Field(0.01, ge=0)

    def size_for(self, step: int, seen: Sequence[float]) -> Size:
        """The size after the mean rewards ``seen``, one a step; the step itself does not matter.

        A step without any reward is NaN and does not count.
        """
        known = _known(seen)
        level = start = 0
        for end in range(1, len(known) + 1):
            if end - start >= 2 * self.window and self._flat(known[end - 2 * self.window : end]):
                level, start = level + 1, end
        return self.sizes[min(level, len(self.sizes) - 1)]

    def every_size(self) -> dict[str, Size]:
        """All its sizes, by the name that messages give them."""
        return _every(self.sizes)

    def _flat(self, rewards: Sequence[float]) -> bool:
        before, last = rewards[: self.window], rewards[self.window :]
        return statistics.fmean(last) - statistics.fmean(before) < self.rise


class ReliabilitySchedule(Options):
    """The smallest size whose mean vote is reliable enough, by what the last steps say of a vote.

    Each step asks for a size: the smallest at which Spearman and Brown's formula reaches ``target``
    with the reliability of one vote in that step, else the last. The size goes up to what half of
    the last ``window`` steps ask for at least, and down to what is enough for three quarters of
    them; between the two it stays. So one noisy step among three or more changes nothing. After a
    change the size holds for ``window`` steps, as the first one does at the start.

    A step whose votes tell nothing is NaN and does not count: single judgments do not show how far
    the judge scatters, so every size has two or more.

    Args:
        by: says that the reliability of the votes decides.
        target: reliability of the mean vote, 0..1, both excluded.
        sizes: with a k that rises, from 2 on.
        window: steps that are asked.

    >>> schedule = ReliabilitySchedule(sizes=({"k": 2}, {"k": 4}, {"k": 8}), window=2)
    >>> [schedule.size_for(2, seen).k for seen in ([0.9, 0.9], [0.5, 0.5], [0.2, 0.2])]
    [2, 4, 8]
    """

    metric: ClassVar[str | None] = "reliability"
    by: Literal["reliability"] = "reliability"
    target: float = Field(0.8, gt=0, lt=1)
    sizes: tuple[Size, ...] = Field(tuple(Size(k=k) for k in (2, 4, 8, 16, 32)), min_length=1)
    window: int = Field(20, ge=1)

    @field_validator("sizes")
    @classmethod
    def _tell_something(cls, sizes: tuple[Size, ...]) -> tuple[Size, ...]:
        ks = [size.k for size in sizes]
        if ks[0] < 2 or any(later <= earlier for earlier, later in pairwise(ks)):
            raise ValueError(
                f"expected a k that rises, from 2 on (one vote does not show its scatter), got {ks}"
            )
        return sizes

    def size_for(self, step: int, seen: Sequence[float]) -> Size:
        """The size after the reliabilities ``seen`` of one vote, one a step, each at most 1.

        The step itself does not matter.
        """
        asked = [self._level(one) for one in _known(seen)]
        level = start = 0
        for end in range(self.window, len(asked) + 1):
            if end - start >= self.window:
                last = sorted(asked[end - self.window : end])
                half, most = last[len(last) // 2], last[3 * len(last) // 4]
                if not half <= level <= most:
                    level, start = max(half, min(level, most)), end
        return self.sizes[level]

    def every_size(self) -> dict[str, Size]:
        """All its sizes, by the name that messages give them."""
        return _every(self.sizes)

    def _level(self, reliability: float) -> int:
        """The place of the size that one step asks for."""
        wanted = votes_for(self.target, reliability)
        places = range(len(self.sizes))
        return next((i for i in places if self.sizes[i].k >= wanted), places[-1])


Schedule = StepSchedule | SaturationSchedule | ReliabilitySchedule

_KINDS: dict[str, type[Schedule]] = {
    "step": StepSchedule,
    "saturation": SaturationSchedule,
    "reliability": ReliabilitySchedule,
}


def read_schedule(values: Mapping[str, Any]) -> Schedule:
    """A schedule from its settings.

    Raises:
        ConfigError: names the key, what was expected and what came.
    """
    by = values.get("by")
    kind = _KINDS.get(by) if isinstance(by, str) else None
    if kind is None:
        *others, last = _KINDS
        expected = f"{', '.join(others)} or {last}"
        raise ConfigError(f"schedule: by: expected {expected}, got {by!r}")
    return read_options(kind, "schedule", values)


def _known(seen: Sequence[float]) -> list[float]:
    return [one for one in seen if not math.isnan(one)]


def _every(sizes: Sequence[Size]) -> dict[str, Size]:
    return {f"sizes.{place}": size for place, size in enumerate(sizes)}
