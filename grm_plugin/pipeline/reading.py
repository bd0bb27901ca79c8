"""From what the judge wrote to a judgment, or to why it is none."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from grm_plugin.contracts.contract import Answer, Contract, Reading
from grm_plugin.contracts.principles import parse_principles
from grm_plugin.engine import Draw
from grm_plugin.errors import ParseError, quoted
from grm_plugin.pipeline import runaway
from grm_plugin.pipeline.checking import checked_reading
from grm_plugin.pipeline.planning import unshuffle
from grm_plugin.running import guarded
from grm_plugin.thinking import Thinking
from grm_plugin.types import Judgment, Reason, Sample, Scale, Token

logger = logging.getLogger(__name__)

_UNFINISHED: Mapping[str, tuple[Reason, str]] = {
    "content_filter": (Reason.DECLINED, "the provider's filter ended the judge's answer"),
    "refusal": (Reason.DECLINED, "the judge would not judge this"),
    "tool_calls": (
        Reason.UNREADABLE,
        "the judge called a tool in place of an answer; ask a server that offers it none",
    ),
}
_CUT = "the judge was cut at max_tokens before it finished"
_CUT_THINKING = f"{_CUT}, while it was thinking"
_ONLY_THINKING = (
    "the judge thought, and gave no answer beside it; raise max_tokens, make the judge think less, "
    "or turn the server's reasoning parser off if it takes the answer for thinking"
)


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
    _told: set[str] = field(default_factory=set, compare=False, repr=False)

    def read(self, draw: Draw, unread: Judgment, n: int) -> Sample:
        """``unread`` with the scores in ``draw``, or as a failure.

        Args:
            draw: what the engine returned.
            unread: everything else about the sample; its order says who was shown where.
            n: responses of the whole group.
        """
        try:
            text = self._answer(draw, len(unread.order))
            shown = self._scores(text, draw.tokens, len(unread.order))
        except ParseError as error:
            return unread.failed(Reason(error.reason), error.message)
        return replace(
            unread,
            scores=unshuffle(shown.scores, unread.order, n),
            tokens=shown.tokens,
            principles=parse_principles(text),
        )

    def _answer(self, draw: Draw, n: int) -> str:
        """What the judge wrote after its thinking, if it finished; else ParseError."""
        answer = self.thinking.final_answer(draw.text, opened=draw.opened)
        if draw.finish_reason == "length":
            thinks = not answer.strip() and bool(draw.text.strip())
            raise ParseError(
                Reason.TRUNCATED, _CUT_THINKING if thinks else self._why_cut(answer, n)
            )
        if draw.finish_reason != "stop":
            raise ParseError(*_unfinished(draw))
        if not draw.text.strip():
            raise ParseError(Reason.UNREADABLE, "expected an answer, got an empty text")
        if not answer.strip():
            raise ParseError(Reason.ONLY_THINKING, _ONLY_THINKING)
        return answer

    def _why_cut(self, answer: str, n: int) -> str:
        mark = runaway.next_turn(answer, lambda text: self._reads(text, n))
        if not mark:
            return _CUT
        if not self._told:  # all samples of such a judge end so
            self._told.add(mark)
            logger.warning("%s", runaway.told(mark))
        return runaway.told(mark)

    def _reads(self, text: str, n: int) -> bool:
        try:
            self._scores(text, (), n)
        except ParseError:
            return False
        return True

    def _scores(self, text: str, tokens: Sequence[Token], n: int) -> Reading:
        """The scores of the ``n`` responses shown; ParseError if they are not in the form."""
        answer = Answer(text, n, self.scale, _tail(tokens, len(text)))
        owner = f"contract {self.name!r}"
        reading = guarded.run(owner, self.contract.read, answer)
        return checked_reading(owner, reading, n, self.scale)


def _unfinished(draw: Draw) -> tuple[Reason, str]:
    """Why a text that neither the judge nor its limit ended is no answer."""
    other = (Reason.UNREADABLE, f"the judge did not finish: {quoted(draw.finish_reason)}")
    reason, why = _UNFINISHED.get(draw.finish_reason, other)
    return reason, f"{why}: {quoted(draw.text)}" if draw.text and reason != other[0] else why


def _tail(tokens: Sequence[Token], length: int) -> tuple[Token, ...]:
    """The last tokens, as many as fit into the last ``length`` characters."""
    start = len(tokens)
    while start and (length := length - len(tokens[start - 1].text)) >= 0:
        start -= 1
    return tuple(tokens[start:])
