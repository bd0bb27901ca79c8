"""A plug-in that offers an engine: a judge that gives every response the same score."""

from __future__ import annotations

import sys
from typing import ClassVar

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.options import Options, read_options
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


class FlatOptions(Options):
    """``points``: the score of every response."""

    points: int = 5


class FlatEngine:
    defaults: ClassVar = {"k": 2}
    model = "flat"
    context_tokens = None

    def __init__(self, options, limits: Limits) -> None:
        self.points = read_options(FlatOptions, "engine 'flat'", options).points

    async def start(self) -> None: ...

    async def sample(self, request: SampleRequest) -> list[Draw]:
        n = request.messages[-1].content.count("[The Begin of Response")
        return [Draw(f"\\boxed{{{', '.join([str(self.points)] * n)}}}", "stop")] * request.n

    async def count_tokens(self, messages) -> None: ...

    async def close(self) -> None: ...


@hookimpl
def grm_register_engines(register) -> None:
    register("flat", FlatEngine)


def test_the_engine_judges_with_its_options_and_defaults() -> None:
    plugins = scripted([], Plugin("example", sys.modules[__name__]))
    with GRM(plugins=plugins, engine={"name": "flat", "points": 10}) as grm:
        assert grm.config.k == 2
        assert grm.score(Group.of("q", ["a", "b"])).rewards == (1, 1)
