"""When in a run of training a group was judged, as its metadata says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.types.groups import Group

STEP, PHASE = "step", "phase"
TRAIN, EVAL = "train", "eval"


def when_of(group: Group) -> tuple[str, int] | None:
    """Phase and step of a group that says its step; None of what is no group, or none yet."""
    metadata = getattr(group, "metadata", None)
    known: Mapping[str, Any] = metadata if isinstance(metadata, Mapping) else {}
    step = known.get(STEP)
    return (str(known.get(PHASE) or ""), step) if type(step) is int else None
