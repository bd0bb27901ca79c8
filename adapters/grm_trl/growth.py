"""How many judgments a call is worth: the schedule, asked with what the trainer has logged.

Nothing is kept here. The step and what was logged in each stand in the trainer's state, which is
the same on every rank and comes back with a checkpoint, so the ranks agree and a run that is
resumed goes on where it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin.errors import ConfigError
from grm_plugin.schedule import Schedule
from grm_plugin.size import Size
from grm_trl import host


def size_for(schedule: Schedule | None, call: Mapping[str, Any], name: str) -> Size | None:
    """The size for one reward call; None without a schedule, and in evaluations.

    Evaluations are judged with the configured k, so that they compare over the whole run.

    Args:
        schedule: of the judge's settings.
        call: keywords of the reward call.
        name: of the reward, under which its metrics are logged.

    Raises:
        ConfigError: the trainer does not tell what the schedule goes by.
    """
    if schedule is None or not host.is_training(host.trainer_of(call)):
        return None
    step = host.step_of(call)
    if step is None:
        raise ConfigError(
            "schedule: this trainer does not tell its step (no trainer_state in the reward call), "
            "so k can not follow it; leave schedule out of the judge's settings"
        )
    if schedule.metric is None:
        return schedule.size_for(step, ())
    key = f"{name}/{schedule.metric}"
    if not host.logs_metrics(call):
        raise ConfigError(
            f"schedule: by {schedule.by} goes by the metric {key} that the trainer logs, and this "
            "one logs none; use schedule: {by: step}, or a trainer with log_metric whose "
            "logging_strategy is not 'no'"
        )
    return schedule.size_for(step, by_step(call["trainer_state"].log_history, key))


def by_step(log: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    """A metric in every training step that is logged; NaN for a step without it.

    A log entry over several steps counts once for each of them. Entries of evaluations and of the
    whole run do not count.

    >>> log = [{"step": 1, "loss": 0, "r": 0.1}, {"step": 1, "eval_r": 9}]
    >>> by_step([*log, {"step": 3, "loss": 0, "r": 0.2}], "r")
    [0.1, 0.2, 0.2]
    """
    found: list[float] = []
    for entry in log:
        if "loss" in entry:
            value = entry.get(key)
            steps = entry["step"] - len(found)
            found += [math.nan if value is None else value] * steps
    return found


def numbers(size: Size, schedule: Schedule | None) -> dict[str, float]:
    """What is logged of a size: k, and k_meta when any size of the schedule sets it."""
    if not any(one.k_meta for one in (schedule.every_size().values() if schedule else ())):
        return {"k": float(size.k)}
    return {"k": float(size.k), "k_meta": float(size.k_meta or math.nan)}
