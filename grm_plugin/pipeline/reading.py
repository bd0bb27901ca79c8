"""From what the judge wrote to a judgment, or to why it is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grm_plugin.contracts.contract import Answer, Contract, Reading
from grm_plugin.contracts.principles import parse_principles
from grm_plugin.engine import Draw
from grm_plugin.errors import ParseError, quoted
from grm_plugin.pipeline.checking import checked_reading
from grm_plugin.pipeline.planning import unshuffle
from grm_plugin.running import guarded
from grm_plugin.thinking import Thinking
from grm_plugin.types import Judgment, Reason, Sample, Scale, Token


@dataclass(frozen=True)
class Reader:
    """How judgments are read.

    Args:
        contract: reads an answer.
        thinking: tells an answer from the thinking before it.
        scale: the closed range of a score, in points.
        name: what messages call the contract.
    """

    contract: Contract
    thinking: Thinking
    scale: Scale
    name: str = "boxed"

    def read(self, draw: Draw, unread: Judgment, n: int) -> Sample:
        """``unread`` with the scores in ``draw``, or as a failure.

        Args:
            draw: what the engine returned.
            unread: everything else about the sample; its order says who was shown where.
            n: responses of the whole group.
        """
        try:
            text = self._answer(draw)
            shown = self._scores(text, draw.tokens, len(unread.order))
        except ParseError as error:
            return unread.failed(Reason(error.reason), error.message)
        return replace(
            unread,
            scores=unshuffle(shown.scores, unread.order, n),
            tokens=shown.tokens,
            principles=parse_principles(text),
        )

    def _answer(self, draw: Draw) -> str:
        """What the judge wrote after its thinking, if it finished; else ParseError."""
        if draw.finish_reason == "length":
            raise ParseError(Reason.TRUNCATED, "the judge was cut at max_tokens before it finished")
        if draw.finish_reason != "stop":
            raise ParseError(
                Reason.UNREADABLE, f"the judge did not finish: {quoted(draw.finish_reason)}"
            )
        return self.thinking.final_answer(draw.text, opened=draw.opened)

    def _scores(self, text: str, tokens: Sequence[Token], n: int) -> Reading:
        """The scores of the ``n`` responses shown; ParseError if they are not in the form."""
        answer = Answer(text, n, self.scale, _tail(tokens, len(text)))
        owner = f"contract {self.name!r}"
        reading = guarded.run(owner, self.contract.read, answer)
        return checked_reading(owner, reading, n, self.scale)


def _tail(tokens: Sequence[Token], length: int) -> tuple[Token, ...]:
    """The last tokens, as many as fit into the last ``length`` characters."""
    start = len(tokens)
    while start and (length := length - len(tokens[start - 1].text)) >= 0:
        start -= 1
    return tuple(tokens[start:])
