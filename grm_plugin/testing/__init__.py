"""Fakes for plug-in authors and tests: a judge that reads from a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grm_plugin.engine import Draw, Engine, EngineFactory, Limits, SampleRequest
from grm_plugin.errors import EngineError
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.plugins import Plugin, Plugins, installed
from grm_plugin.types import Message

Line = str | Draw | EngineError
Script = Sequence[Line] | Callable[[SampleRequest, int], Line]


class ScriptedEngine:
    """An engine that answers from a script and remembers every request.

    Args:
        script: texts, draws or errors, used in turn and again from the start; or a function of
            the request and the draw's place in it.
        context_tokens: pretended context; a token is a character then.
        delay_s: seconds before each answer.
    """

    def __init__(
        self, script: Script, *, context_tokens: int | None = None, delay_s: float = 0.0
    ) -> None:
        self.model = "scripted"
        self.context_tokens = context_tokens
        self.delay_s = delay_s
        self.requests: list[SampleRequest] = []
        self.starts = self.closes = self._lines = 0
        self._script = script

    async def start(self) -> None:
        self.starts += 1

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        self.requests.append(request)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        return [_as_draw(self._line(request, i)) for i in range(request.n)]

    def _line(self, request: SampleRequest, i: int) -> Line:
        if callable(self._script):
            return self._script(request, i)
        line = self._script[self._lines % len(self._script)]
        self._lines += 1
        return line

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return sum(len(message.content) for message in messages)

    async def close(self) -> None:
        self.closes += 1


def _as_draw(line: Line) -> Draw | EngineError:
    return Draw(line, "stop") if isinstance(line, str) else line


class _Offer:
    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine = engine

    @hookimpl
    def grm_register_engines(self, register: Register[EngineFactory]) -> None:
        register("scripted", self._make)

    def _make(self, options: Mapping[str, Any], limits: Limits) -> Engine:
        return self._engine


def scripted(script: Script | ScriptedEngine, *more: Plugin) -> Plugins:
    """All installed plug-ins, ``more``, and an engine ``scripted`` that follows a script."""
    engine = script if isinstance(script, ScriptedEngine) else ScriptedEngine(script)
    there = installed()
    return Plugins([*there.plugins, Plugin("scripted", _Offer(engine)), *more], there.broken)
