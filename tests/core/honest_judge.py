"""A judge for tests that reads its prompt: a response ``quality 7`` is worth 7 points."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from grm_plugin import GRM, Group
from grm_plugin.engine import SampleRequest
from grm_plugin.testing import Script, ScriptedEngine, scripted


def qualities(request: SampleRequest) -> list[int]:
    """What the judge was shown, in that order."""
    return [int(number) for number in re.findall(r"quality (\d+)", request.messages[-1].content)]


def box(scores: object) -> str:
    return f"Scores: \\boxed{{{', '.join(map(str, scores))}}}"


def honest(request: SampleRequest, i: int) -> str:
    """The quality of every response."""
    return box(qualities(request))


def noisy(request: SampleRequest, i: int) -> str:
    """The quality of every response, off by up to 1, as the draw's seed has it."""
    off = (request.seed + i) % 3 - 1
    return box(min(10, max(1, quality + off)) for quality in qualities(request))


def group(*numbers: int, prompt: str = "q", **more: object) -> Group:
    """A group with responses of these qualities."""
    return Group.of(prompt, [f"quality {number}" for number in numbers], **more)


def grm(script: Script | ScriptedEngine = honest, **settings: object) -> GRM:
    """A GRM whose judge follows ``script``."""
    return GRM(plugins=scripted(script), engine="scripted", **settings)


def rewards(script: Script | ScriptedEngine, asked: Group, **settings: object):
    """The rewards of one group."""
    with grm(script, **settings) as judge:
        return judge.score(asked).rewards


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
