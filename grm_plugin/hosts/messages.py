"""Prompts and completions, strings or chat messages, as the text a judge reads."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from grm_plugin.errors import InputError, placed, quoted
from grm_plugin.hosts.labels import call_of, defused, one_line, result_of, turn_of
from grm_plugin.hosts.parts import Part, Thought, Unseen
from grm_plugin.hosts.turns import Call, Turn, as_turns, said, unseen
from grm_plugin.hosts.values import Place
from grm_plugin.thinking import Thinking as Marks
from grm_plugin.types import Message

logger = logging.getLogger(__name__)

Thinking = Literal["drop", "closed", "keep"]
UnseenParts = Literal["refuse", "tell"]

_MOST_TOLD = 32
"""Kinds of unseen parts that are told of."""


@dataclass(frozen=True)
class Reader:
    """Reads what a trainer hands over, by the options that its adapter has.

    Args:
        thinking: what the judge sees of a policy's thinking: nothing (``drop``); nothing, and a
            completion in which no thought was closed is no answer, since it was cut (``closed``);
            or everything (``keep``).
        unseen: what happens to parts that the judge can not see, such as images: ``refuse`` them,
            or ``tell`` of them once and judge the text. They stay part of what was asked: the judge
            reads their kind and the start of a digest, so that two pictures with one question are
            two prompts.
        marks: more marks of thinking, as pairs of what opens a thought and what closes it.
    """

    thinking: Thinking = "drop"
    unseen: UnseenParts = "refuse"
    marks: Sequence[tuple[str, str]] = ()
    _told: set[str] = field(default_factory=set, compare=False, repr=False)

    @cached_property
    def _past(self) -> Marks:
        return Marks(self.marks)

    @cached_property
    def _last(self) -> Marks:
        return Marks(self.marks, closed=self.thinking == "closed")

    def conversation(
        self, prompt: Any, *, images: Sequence[Any] = (), at: Place = ("prompt",)
    ) -> tuple[Message, ...]:
        """The turns before the completion; a plain string is one user turn.

        Args:
            prompt: a text, or messages.
            images: what the host hands over beside the messages. Where these hold images already,
                they are the same; an image in a message that holds nothing is a place for one.
            at: how errors call the prompt.

        Raises:
            InputError: ``prompt`` is something else, as columns of a dataset may be, or holds what
                the judge can not see.
        """
        turns = _with_images(as_turns(said(prompt, at)), images)
        return tuple(
            Message(turn.role, self._named(turn, (*at, i))) for i, turn in enumerate(turns)
        )

    def beside(
        self, conversation: Sequence[Message], kind: str, values: Any
    ) -> tuple[Message, ...]:
        """``conversation`` with parts that the host hands over beside it, such as its images.

        Raises:
            InputError: there are some, and the judge can not see them.
        """
        named = [self._shown(part, (kind,)) for part in unseen(kind, values)]
        *before, last = conversation
        content = "\n".join(filter(None, [*named, last.content]))
        return (*before, Message(last.role, content))

    def response(self, completion: Any, prompt: Any = "", *, at: Place = ("completion",)) -> str:
        """The completion as one text.

        Without its thinking only the answer is left, and nothing when thinking never ended. Only a
        block that opens the completion, or that ``prompt`` ends with, is thinking. Tool calls and
        their results stay, each on a line with a label that says so, and that no text can write
        itself: what looks like one is shown as a quotation.

        Args:
            completion: a text, or messages.
            prompt: what it goes on from.
            at: how errors call the completion.

        Raises:
            InputError: ``completion`` is neither a text nor messages, or holds what the judge can
                not see.
        """
        opened = self._last.ends_open(_end_of(prompt))
        answer = said(completion, at)
        if isinstance(answer, str):
            return defused(self._answer(answer, self._last, opened=opened))
        turns = [
            self._labelled(turn, (*at, i), last=i + 1 == len(answer), opened=opened and not i)
            for i, turn in enumerate(answer)
        ]
        if len(answer) == 1 and answer[0].role == "assistant":
            return turns[0]
        return "\n".join(filter(None, turns))

    def _named(self, turn: Turn, at: Place) -> str:
        text = self._turn(turn, at)
        return f"[{one_line(turn.name)}] {text}" if turn.name and turn.role != "tool" else text

    def _labelled(self, turn: Turn, at: Place, *, last: bool, opened: bool) -> str:
        text = self._turn(turn, at, last=last, opened=opened)
        if turn.role in ("assistant", "tool"):
            return text
        return f"{turn_of(turn.role)} {defused(text)}"

    def _turn(self, turn: Turn, at: Place, *, last: bool = False, opened: bool = False) -> str:
        text = self._content(turn.parts, at)
        if turn.role == "tool":
            return f"{result_of(turn.name)} {defused(text)}"
        if turn.role != "assistant":
            return text
        if self.thinking == "keep":
            text = f"<think>{turn.thought}</think>\n{text}" if turn.thought else text
        else:  # what a chat template has taken out of the content was closed
            marks = self._last if last and not turn.thought else self._past
            text = self._answer(text, marks, opened=opened and not turn.thought)
        return "\n".join(filter(None, [defused(text), *map(_call, turn.calls)]))

    def _answer(self, text: str, marks: Marks, opened: bool) -> str:
        if self.thinking == "keep":
            return text
        found = marks.answer(text, opened=opened)
        return text if found == text else found.strip()

    def _content(self, parts: Iterable[Part], at: Place) -> str:
        shown = (self._shown(part, (*at, "content")) for part in parts)
        return "\n".join(text for text in shown if text is not None)

    def _shown(self, part: Part, at: Place) -> str | None:
        if isinstance(part, str):
            return part
        if isinstance(part, Thought):
            return f"<think>{part.text}</think>" if self.thinking == "keep" else None
        if self.unseen == "refuse":
            raise InputError(
                f"{placed(at)}: expected texts, got a part {quoted(part.kind)} that the judge can "
                "not see; with `unseen: tell` it is named to the judge and the text is judged"
            )
        self._tell(part.kind)
        return str(part)

    def _tell(self, kind: str) -> None:
        if kind not in self._told and len(self._told) < _MOST_TOLD:  # callers invent kinds
            self._told.add(kind)
            logger.warning(
                "the judge can not see parts of kind %s; it reads the text", quoted(kind)
            )


def _with_images(turns: tuple[Turn, ...], images: Sequence[Any]) -> tuple[Turn, ...]:
    """``turns`` with ``images`` in the last one, unless they hold images of their own.

    GRPO and its kin put the columns ``image`` and ``images`` into the prompts; OnlineDPO hands over
    prompts without them, in which two pictures with one question look the same.
    """
    found = unseen("image", images)
    held = any(isinstance(part, Unseen) and part.key for turn in turns for part in turn.parts)
    if held or not found:
        return turns
    *before, last = turns
    return (*before, replace(last, parts=(*found, *last.parts)))


def _end_of(prompt: Any) -> str:
    """The text that a completion goes on from: the prompt, or a turn that the assistant began."""
    if not prompt or isinstance(prompt, str):
        return prompt or ""
    last = as_turns(said(prompt, ("prompt",)))[-1]
    text = last.parts[-1] if last.role == "assistant" and last.parts else ""
    return text if isinstance(text, str) else ""


def _call(call: Call) -> str:
    return f"{call_of(call.name)} {defused(call.arguments)}"
