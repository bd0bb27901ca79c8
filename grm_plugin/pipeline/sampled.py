"""What becomes of a draw: a sample, which is a judgment or says why it is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from grm_plugin.engine import Draw, Engine
from grm_plugin.errors import EngineError
from grm_plugin.pipeline.checking import checked_order
from grm_plugin.pipeline.planning import Showing
from grm_plugin.pipeline.pricing import Pricing
from grm_plugin.pipeline.reading import Reader
from grm_plugin.types import Failure, Judgment, Message, Reason, Sample, digest

NumberT = TypeVar("NumberT", int, float)


@dataclass(frozen=True, slots=True)
class Broken:
    """A draw that failed in a later round, and what came of the rounds before."""

    error: EngineError
    before: Draw


@dataclass(frozen=True)
class Sampled:
    """Makes samples of draws.

    Args:
        engine: drew them.
        reader: how their texts are read.
        pricing: what they cost.
    """

    engine: Engine
    reader: Reader
    pricing: Pricing

    def of(
        self, showing: Showing, i: int, draw: Draw | EngineError | Broken, prompt: str, n: int
    ) -> Sample:
        """The sample of draw ``i`` of a showing.

        Args:
            showing: what the judge was shown.
            i: number of the draw.
            draw: what came of it.
            prompt: digest of what the judge saw.
            n: responses of the group.

        Raises:
            PluginError: the engine gave another order than one of what was shown.
        """
        if isinstance(draw, Broken):
            return _with_before(self._lost(showing, i, draw.error, prompt), draw.before)
        if isinstance(draw, EngineError):
            return self._lost(showing, i, draw, prompt)
        return self.reader.read(draw, self._unread(showing, i, draw, prompt), n)

    def _lost(self, showing: Showing, i: int, error: EngineError, prompt: str) -> Failure:
        """A draw that failed, and what it cost."""
        return replace(
            lost_sample(showing, i, Reason(error.reason), str(error), prompt),
            prompt_tokens=error.prompt_tokens,
            output_tokens=error.output_tokens,
            money=self.pricing.of(error),
            cached_tokens=error.cached_tokens,
            flops=self.pricing.flops_of(error),
        )

    def _unread(self, showing: Showing, i: int, draw: Draw, prompt: str) -> Judgment:
        """All of a judgment but its scores."""
        order = showing.order
        if draw.order is not None:
            order = checked_order(f"engine {self.engine.model!r}", draw.order, showing.order)
        return Judgment(
            sample=showing.first + i,
            order=order,
            seed=showing.seed + i,
            text=draw.text,
            scores=(),
            prompt_hash=prompt,
            meta_score=draw.meta_score,
            prompt_tokens=draw.prompt_tokens,
            output_tokens=draw.output_tokens,
            seconds=draw.seconds,
            run=showing.run,
            said=draw.said,
            money=draw.money,
            cached_tokens=draw.cached_tokens,
            flops=draw.flops,
        )


def _with_before(lost: Failure, before: Draw) -> Failure:
    """A draw that failed in a later round, at the cost of all of them."""
    return replace(
        lost,
        said=before.said,
        prompt_tokens=before.prompt_tokens + lost.prompt_tokens,
        output_tokens=before.output_tokens + lost.output_tokens,
        seconds=before.seconds,
        money=_sum(before.money, lost.money),
        flops=_sum(before.flops, lost.flops),
    )


def together(before: Draw, word: Draw, said: tuple[str, ...]) -> Draw:
    """Two rounds of one draw as one: the last word, at the cost of both."""
    return replace(
        word,
        said=said,
        prompt_tokens=before.prompt_tokens + word.prompt_tokens,
        output_tokens=before.output_tokens + word.output_tokens,
        seconds=before.seconds + word.seconds,
        money=_sum(before.money, word.money),
        cached_tokens=_sum(before.cached_tokens, word.cached_tokens),
        flops=_sum(before.flops, word.flops),
    )


def _sum(one: NumberT | None, other: NumberT | None) -> NumberT | None:
    """Of both; None when one of them is not known."""
    return None if one is None or other is None else one + other


def lost_sample(showing: Showing, i: int, reason: Reason, detail: str, prompt: str = "") -> Failure:
    """Draw ``i`` of a showing as one that is dropped."""
    number, seed = showing.first + i, showing.seed + i
    return Failure(number, showing.order, seed, reason, detail, prompt_hash=prompt, run=showing.run)


def digest_of(messages: Iterable[Message]) -> str:
    """Digest of what the judge sees."""
    text = "\0".join(f"{message.role}\0{message.content}" for message in messages)
    return digest(text)
