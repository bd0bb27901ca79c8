"""What an engine that replays the past says of a group, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable

from grm_plugin.config import GRMConfig
from grm_plugin.engine import Engine, Recorded
from grm_plugin.errors import RecordError
from grm_plugin.pipeline.plans import Plan
from grm_plugin.size import Size
from grm_plugin.types import Group


def past_of(engine: Engine, group: Group) -> Recorded | None:
    """How ``group`` was judged; None of an engine that does not replay."""
    recorded: Callable[[Group], Recorded] | None = getattr(engine, "recorded", None)
    return recorded(group) if recorded else None


def check_past(past: Recorded, group: Group, plan: Plan, config: GRMConfig) -> None:
    """Refuse a record whose plan is not the one that is set.

    Raises:
        RecordError: names the group.
    """
    try:
        plan.check_recorded(past.plan, config.plan)
    except RecordError as error:
        raise RecordError(f"group {group.label} on record: {error}") from None


def usual_size(past: Recorded | None, config: GRMConfig) -> Size:
    """The size of a group for which nobody names one: the configured one, or the recorded one."""
    if past and past.k and "k" not in config.model_fields_set:
        return Size(k=past.k if config.stop.name == "fixed" else past.most or past.k)
    return config.size
