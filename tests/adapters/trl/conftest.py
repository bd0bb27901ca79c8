"""A scripted judge whose scores depend on the whole group, for the adapter without a trainer."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from grm_plugin.engine import SampleRequest
from grm_plugin.testing import ScriptedEngine, scripted

pytest.importorskip("trl")

from grm_trl import GRMReward

RESPONSE = re.compile(r"\[The Begin of Response (\d+)\]\n(.*?)\n\[The End of Response \1\]", re.S)


def by_group(request: SampleRequest, i: int) -> str:
    """Scores that change with the prompt and with the other responses of the group."""
    prompt = request.messages[-1].content
    shown = [match[2] for match in RESPONSE.finditer(prompt)]
    frame = f"{prompt.partition('[Responses')[0]}|{sorted(shown)}"
    scores = [1 + zlib.crc32(f"{frame}|{text}".encode()) % 10 for text in shown]
    return f"\\boxed{{{', '.join(map(str, scores))}}}"


@pytest.fixture
def engine() -> ScriptedEngine:
    """The judge; remembers every request."""
    return ScriptedEngine(by_group)


@pytest.fixture
def make(engine: ScriptedEngine) -> Callable[..., GRMReward]:
    """Makes rewards of that judge; a ``script`` replaces it."""

    def made(script: Any = engine, **settings: Any) -> GRMReward:
        settings = {"engine": "scripted", "k": 2, **settings}
        return GRMReward(plugins=scripted(script), **settings)

    return made
