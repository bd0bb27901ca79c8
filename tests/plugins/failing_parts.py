"""A plug-in whose parts fail in every way, each only for groups that ask about something bad."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import replace
from typing import Any, Literal

from grm_plugin import hookimpl
from grm_plugin.contracts.contract import Answer, Reading
from grm_plugin.engine import Draw
from grm_plugin.options import Options, read_options
from grm_plugin.pipeline.selecting import Selection

RELEASED = threading.Event()
"""Ends what blocks or hangs, so that no test leaves a thread behind."""

WORD = "dreadful"
"""A question with this word is one for which a part fails."""

HOW = ("raises", "exits", "interrupts", "blocks", "wrong")
HANGS = "hangs"


class Failing(Options):
    """What a part does, in which of its calls, and on which rank only (None: on all)."""

    how: Literal["raises", "exits", "interrupts", "blocks", "hangs", "wrong", "works"] = "works"
    when: Literal["make", "start", "call", "close"] = "call"
    rank: int | None = None

    def is_due(self, when: str) -> bool:
        """Whether it fails now."""
        here = self.rank is None or os.environ.get("RANK") == str(self.rank)
        return here and self.when == when


def fail(how: str) -> None:
    """Fail in a plain function."""
    if how == "raises":
        raise RuntimeError("I am broken")
    if how == "exits":
        raise SystemExit(3)
    if how == "interrupts":
        raise KeyboardInterrupt
    if how == "blocks":
        RELEASED.wait(30)


async def fail_awaited(how: str) -> None:
    """Fail in a coroutine, which can also swallow cancellation."""
    fail(how)
    while how == HANGS and not RELEASED.is_set():
        try:
            await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            continue


class Part:
    """What all of them share."""

    def __init__(self, options: Any, limits: Any) -> None:
        self.failing = read_options(Failing, "part 'broken'", options)
        if self.failing.is_due("make"):
            fail(self.failing.how)

    async def start(self) -> None:
        if self.failing.is_due("start"):
            await fail_awaited(self.failing.how)

    async def close(self) -> None:
        if self.failing.is_due("close"):
            await fail_awaited(self.failing.how)

    async def failed(self, text: str) -> bool:
        """Whether it has to give back nonsense for this group; other faults end the call."""
        if not self._is_bad(text):
            return False
        await fail_awaited(self.failing.how)
        return self.failing.how == "wrong"

    def failed_at_once(self, text: str) -> bool:
        """As :meth:`failed`, in a plain function."""
        if not self._is_bad(text):
            return False
        fail(self.failing.how)
        return self.failing.how == "wrong"

    def _is_bad(self, text: str) -> bool:
        return WORD in text and self.failing.is_due("call")


def asked(group: Any) -> str:
    return group.conversation[-1].content


class Engine(Part):
    """Says which of two groups it judges, so that the parts after it can tell."""

    model = "broken"
    context_tokens = None

    async def sample(self, request):
        prompt = request.messages[-1].content
        if await self.failed(prompt):
            return None
        word, score = (WORD, 1) if WORD in prompt else ("good", 9)
        scores = ", ".join([str(score)] * prompt.count("[The Begin of Response"))
        return [Draw(f"A {word} one. \\boxed{{{scores}}}", "stop")] * request.n

    async def count_tokens(self, messages):
        return None


class Contract(Part):
    shows = "list"
    stop = ()
    logprobs = 0
    forms = ()

    def read(self, answer: Answer) -> Reading | None:
        return None if self.failed_at_once(answer.text) else Reading((9.0,) * answer.n)


class Voter(Part):
    def __call__(self, scores_K_N, scale):
        wrong = self.failed_at_once(WORD if scores_K_N[0][0] == 1 else "good")
        return [float("nan")] if wrong else [1.0] * len(scores_K_N[0])


class Selector(Part):
    async def select(self, group, judgments, size):
        wrong = await self.failed(asked(group))
        return Selection(tuple(judgments) * 5 if wrong else tuple(judgments))


class Liar(Selector):
    """Changes scores."""

    async def select(self, group, judgments, size):
        if await self.failed(asked(group)):
            judgments = [replace(one, scores=(10.0,) * len(one.scores)) for one in judgments]
        return Selection(tuple(judgments))


class Stopper(Part):
    def more(self, case, judgments, drawn):
        return -1 if self.failed_at_once(asked(case.asked)) else case.size.k - drawn


class Classifier(Part):
    async def logits(self, texts):
        return ["a lot"] if await self.failed(" ".join(texts)) else [1.0] * len(texts)


class Evidence(Part):
    async def facts(self, group):
        return [7] if await self.failed(asked(group)) else ["a fact"] * len(group.responses)


class Principles(Part):
    async def principles(self, group):
        return "be" if await self.failed(asked(group)) else ("Be right.",)


@hookimpl
def grm_register_engines(register) -> None:
    register("broken", Engine)


@hookimpl
def grm_register_contracts(register) -> None:
    register("broken", Contract)


@hookimpl
def grm_register_voters(register) -> None:
    register("broken", Voter)


@hookimpl
def grm_register_selectors(register) -> None:
    register("broken", Selector)
    register("liar", Liar)


@hookimpl
def grm_register_stoppers(register) -> None:
    register("broken", Stopper)


@hookimpl
def grm_register_classifiers(register) -> None:
    register("broken", Classifier)


@hookimpl
def grm_register_evidence_sources(register) -> None:
    register("broken", Evidence)


@hookimpl
def grm_register_principle_sources(register) -> None:
    register("broken", Principles)


def settings(kind: str, **failing: Any) -> dict[str, Any]:
    """Settings of a judge one part of which fails."""
    part = {"name": "broken", **failing}
    sound = {"engine": {"name": "broken"}, "k": 1}
    if kind == "classifier":
        classifier = {"name": "broken", **failing}
        return {**sound, "select": {"name": "meta_rm", "k_meta": 1, "classifier": classifier}}
    key = {
        "engine": "engine",
        "contract": "contract",
        "voter": "vote",
        "selector": "select",
        "stopper": "stop",
        "evidence source": "evidence",
        "principle source": "principles",
    }[kind]
    return {**sound, key: [part] if key == "evidence" else part}


PLAIN = ("contract", "voter", "stopper")
"""Kinds that are called without being awaited, so that they can block and not hang."""
AWAITED = ("engine", "classifier", "selector", "evidence source", "principle source")
LIVES = ("engine", "classifier", "selector", "evidence source", "principle source")
"""Kinds that are started and closed."""
