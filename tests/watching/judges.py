"""Two scripted judges of one process, and verdicts of runs that are watched."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin import hookimpl
from grm_plugin.engine import Engine, EngineFactory, Limits
from grm_plugin.hookspecs import Register
from grm_plugin.plugins import Plugin, Plugins
from grm_plugin.testing import ScriptedEngine, scripted
from grm_plugin.types import Control, Group, Verdict


class _Second:
    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine = engine

    @hookimpl
    def grm_register_engines(self, register: Register[EngineFactory]) -> None:
        register("second", self._make)

    def _make(self, options: Mapping[str, Any], limits: Limits) -> Engine:
        return self._engine


def two(judge: ScriptedEngine, control: ScriptedEngine) -> Plugins:
    """The judge as ``scripted``, and the control judge as ``second``."""
    return scripted(judge, Plugin("second", _Second(control)))


def controlled(
    step: int | None,
    rewards: Sequence[float | None] | None,
    controls: Sequence[float | None] | None,
    *,
    name: str = "q",
    phase: str = "train",
    texts: Sequence[str] = (),
) -> Verdict:
    """A verdict as a run that is watched records it."""
    n = len(rewards or controls or ())
    when = {} if step is None else {"step": step, "phase": phase}
    group = Group.of(name, list(texts) or [f"response {i}" for i in range(n)], metadata=when)
    given = None if rewards is None else tuple(rewards)
    return Verdict(group, given, control=Control(None if controls is None else tuple(controls)))


def run(
    steps: int, *, onset: int | None = None, groups: int = 8, seed: int = 0, bias: float = 0.4
) -> list[Verdict]:
    """The verdicts of a run whose rewards leave the control judge from ``onset`` on."""
    draw = random.Random(seed)
    found = []
    for step in range(steps):
        for number in range(groups):
            true = [draw.gauss(0.4, 0.15) for _ in range(4)]
            more = bias if onset is not None and step >= onset else 0.0
            rewards = [one + draw.gauss(more, 0.08) for one in true]
            controls = [one + draw.gauss(0, 0.08) for one in true]
            found.append(controlled(step, rewards, controls, name=f"{step} {number}"))
    return found
