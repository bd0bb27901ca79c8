"""When in a run of training a group was judged, as its metadata says."""

from __future__ import annotations

from grm_plugin.types.groups import Group

STEP, PHASE = "step", "phase"
TRAIN, EVAL = "train", "eval"


def when_of(group: Group) -> tuple[str, int] | None:
    """Phase and step of a group that says its step."""
    step = group.metadata.get(STEP)
    return (str(group.metadata.get(PHASE) or ""), step) if type(step) is int else None
