"""A test plug-in: a judge whose scores depend on everything it is shown, and on nothing else.

A response in the wrong group, in the wrong place or in another order gets other scores, and so
does a group whose responses come in another order, through its seeds.
"""

from __future__ import annotations

import asyncio
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.errors import EngineError, TransportError
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.types import Message

RESPONSE = re.compile(r"\[The Begin of Response (\d+)\]\n(.*?)\n\[The End of Response \1\]", re.S)
CONVERSATION = re.compile(r"\[Conversation\]\n(.*)\n\[Responses to judge", re.S)


class ShownOptions(Options):
    """How the judge misbehaves."""

    delay_s: float = 0.0
    dead: bool = False
    away_for: str = ""  # a word of the prompts that get no judgment
    broken_on_rank: int | None = None
    broken: Literal["start", "draw"] = "start"
    exits: bool = False  # instead of raising, where it is broken
    reads: bool = False  # a response that ends in a number is worth as many points


class ShownJudge:
    """Scores what it is shown."""

    model = "shown"
    context_tokens: int | None = None

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(ShownOptions, "engine 'shown'", options)

    async def start(self) -> None:
        self._break("start")

    def _break(self, at: str) -> None:
        here = os.environ.get("RANK") == str(self.options.broken_on_rank)
        if here and self.options.broken == at:
            told = "the judge of this rank is broken"
            raise SystemExit(told) if self.options.exits else RuntimeError(told)

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        await asyncio.sleep(self.options.delay_s)
        self._break("draw")
        if self.options.dead:
            return [TransportError("nobody listens there")] * request.n
        text = request.messages[-1].content
        conversation = CONVERSATION.search(text)
        if (word := self.options.away_for) and conversation and word in conversation[1]:
            return [TransportError(f"away for {word}")] * request.n
        said = points if self.options.reads else judgment
        return [Draw(said(text, request.seed + i), "stop", 7, 5) for i in range(request.n)]

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return None

    async def close(self) -> None: ...


def judgment(prompt: str, seed: int) -> str:
    """Scores for the responses of a rendered prompt."""
    shown = [match[2] for match in RESPONSE.finditer(prompt)]
    conversation = CONVERSATION.search(prompt)
    frame = f"{seed}|{conversation and conversation[1]}|{sorted(shown)}"
    scores = [1 + zlib.crc32(f"{frame}|{text}".encode()) % 10 for text in shown]
    return f"Analysis: as shown.\nScores: \\boxed{{{', '.join(map(str, scores))}}}"


def points(prompt: str, seed: int) -> str:
    """The numbers in which the responses of a rendered prompt end."""
    scores = [match[2].split()[-1] for match in RESPONSE.finditer(prompt)]
    return f"Analysis: as they say.\nScores: \\boxed{{{', '.join(scores)}}}"


class Opposite:
    """A scalar RM that is sure of the opposite: the number in which a response ends is bad."""

    async def start(self) -> None: ...

    async def logits(self, texts: Sequence[str]) -> list[float]:
        return [-float(text.split()[-1]) for text in texts]

    async def logits_of_conversations(self, conversations: Sequence[Any]) -> list[float]:
        return await self.logits([turns[-1].content for turns in conversations])

    async def close(self) -> None: ...


def length(completions: Sequence[Any], **_: Any) -> list[float]:
    """A reward beside the judge."""
    texts = [one if isinstance(one, str) else one[0]["content"] for one in completions]
    return [len(text) / 10 for text in texts]


@hookimpl
def grm_register_engines(register: Register) -> None:
    """Offer the judge."""
    register("shown", ShownJudge)


@hookimpl
def grm_register_classifiers(register: Register) -> None:
    """Offer the scalar RM."""
    register("opposite", lambda options, limits: Opposite())
