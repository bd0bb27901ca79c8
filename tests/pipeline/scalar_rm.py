"""A scalar RM for tests that reads what it is shown: ``scalar 3`` in a response is a logit of 3."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin import GRM, Group
from grm_plugin.classifiers import Rating
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError, RefusedError
from grm_plugin.hookspecs import hookimpl
from grm_plugin.plugins import Plugin, Plugins
from grm_plugin.testing import Script, ScriptedEngine, scripted
from tests.core.honest_judge import honest

SAID = re.compile(r"scalar (-?[\d.]+|nan)")


class ScalarRM:
    """Remembers every conversation; ``AWAY`` or ``LOCKED`` in one is a failure of that one."""

    def __init__(self) -> None:
        self.conversations: list[Any] = []
        self.starts = self.closes = 0
        self.scaling = None
        self.control_tokens = ("<|odd|>",)

    async def start(self) -> None:
        self.starts += 1

    async def logits(self, texts: Sequence[str]) -> list[Any]:
        return [self._logit(text) for text in texts]

    async def logits_of_conversations(self, conversations: Sequence[Any]) -> list[Any]:
        self.conversations += conversations
        return [self._logit(one[-1].content) for one in conversations]

    def _logit(self, text: str) -> Any:
        if "AWAY" in text:
            return EngineError("the server is away")
        if "LOCKED" in text:
            return RefusedError("HTTP 401: no such key")
        return Rating(float(SAID.search(text)[1]), 7)

    async def close(self) -> None:
        self.closes += 1


class _Offer:
    def __init__(self, made: ScalarRM) -> None:
        self._made = made

    @hookimpl
    def grm_register_classifiers(self, register: Any) -> None:
        register("said", self._make)

    def _make(self, options: Mapping[str, Any], limits: Limits) -> ScalarRM:
        return self._made


def parts(rm: ScalarRM, script: Script | ScriptedEngine = honest) -> Plugins:
    """A judge that follows ``script``, and ``rm`` as the classifier ``said``."""
    return scripted(script, Plugin("said", _Offer(rm)))


def grm(
    scalar: Mapping[str, Any],
    script: Script | ScriptedEngine = honest,
    *,
    rm: ScalarRM | None = None,
    **settings: Any,
) -> GRM:
    """A judge with a scalar RM beside it; ``settings`` as of GRM."""
    if scalar.get("use") != "alone":
        settings = {"engine": "scripted", **settings}
    section = {"classifier": "said", **scalar}
    return GRM(plugins=parts(rm or ScalarRM(), script), scalar=section, **settings)


def group(*answers: tuple[int, float], prompt: str = "q", **more: Any) -> Group:
    """A group of responses with a quality for the judge and a logit for the scalar RM."""
    texts = [f"quality {quality}, scalar {logit}" for quality, logit in answers]
    return Group.of(prompt, texts, **more)


SURE = group((2, -3), (9, 3))
UNSURE = group((2, 0.1), (9, 0.0))
