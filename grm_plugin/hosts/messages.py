"""Prompts and completions, strings or chat messages, as the text a judge reads."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.parts import Unseen, part_of
from grm_plugin.thinking import Thinking as Marks
from grm_plugin.types import Message

logger = logging.getLogger(__name__)

Thinking = Literal["drop", "closed", "keep"]
UnseenParts = Literal["refuse", "tell"]
Turn = Mapping[str, Any]
Chat = Sequence[Turn]

_MOST_TOLD = 32
"""Kinds of unseen parts that are told of."""
_REASONING = ("reasoning_content", "reasoning", "thinking")


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

    def conversation(self, prompt: str | Chat) -> tuple[Message, ...]:
        """The turns before the completion; a plain string is one user turn.

        Raises:
            InputError: ``prompt`` is something else, as columns of a dataset may be, or holds what
                the judge can not see.
        """
        if isinstance(prompt, str):
            return (Message("user", prompt),)
        try:
            return tuple(Message(str(turn["role"]), self._turn(turn)) for turn in prompt)
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                "expected a prompt that is a text or a list of messages with role and content, "
                f"got {quoted(prompt)}"
            ) from error

    def beside(
        self, conversation: Sequence[Message], kind: str, values: Any
    ) -> tuple[Message, ...]:
        """``conversation`` with parts that the host hands over beside it, such as its images.

        Raises:
            InputError: there are some, and the judge can not see them.
        """
        values = [] if values is None else values if isinstance(values, list | tuple) else [values]
        named = [self._shown(Unseen.of(kind, value)) for value in values]
        *before, last = conversation
        content = "\n".join(filter(None, [*named, last.content]))
        return (*before, Message(last.role, content))

    def response(self, completion: str | Chat, prompt: str | Chat = "") -> str:
        """The completion as one text.

        Without its thinking only the answer is left, and nothing when thinking never ended. Only a
        block that opens the completion, or that ``prompt`` ends with, is thinking. Tool calls and
        their results stay, each on a line that says so.

        Raises:
            InputError: ``completion`` is neither a text nor messages, or holds what the judge can
                not see.
        """
        opened = self._last.ends_open(_end_of(prompt))
        if isinstance(completion, str):
            return self._answer(completion, self._last, opened=opened)
        try:
            turns = [
                self._labelled(turn, last=i == len(completion), opened=opened and i == 1)
                for i, turn in enumerate(completion, 1)
            ]
            if len(completion) == 1 and completion[0]["role"] == "assistant":
                return turns[0]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                "expected a completion that is a text or a list of messages with role and content, "
                f"got {quoted(completion)}"
            ) from error
        return "\n".join(filter(None, turns))

    def _labelled(self, turn: Turn, *, last: bool, opened: bool) -> str:
        text = self._turn(turn, last=last, opened=opened)
        return text if turn["role"] in ("assistant", "tool") else f"[{turn['role']}] {text}"

    def _turn(self, turn: Turn, *, last: bool = False, opened: bool = False) -> str:
        text = self._content(turn.get("content"))
        if turn["role"] == "tool":
            return f"[result of {turn.get('name') or 'tool'}] {text}"
        if turn["role"] != "assistant":
            return text
        thought = next((turn[key] for key in _REASONING if turn.get(key)), "")
        if self.thinking == "keep":
            text = f"<think>{thought}</think>\n{text}" if thought else text
        else:  # what a chat template has taken out of the content was closed
            marks = self._last if last and not thought else self._past
            text = self._answer(text, marks, opened=opened and not thought)
        return "\n".join(filter(None, [text, *map(_call, turn.get("tool_calls") or ())]))

    def _answer(self, text: str, marks: Marks, opened: bool) -> str:
        if self.thinking == "keep":
            return text
        found = marks.answer(text, opened=opened)
        return text if found == text else found.strip()

    def _content(self, content: str | Sequence[Any] | None) -> str:
        if content is None or isinstance(content, str):
            return content or ""
        parts = (part_of(part, thinking=self.thinking == "keep") for part in content)
        return "\n".join(text for part in parts if (text := self._shown(part)) is not None)

    def _shown(self, part: str | Unseen | None) -> str | None:
        if not isinstance(part, Unseen):
            return part
        if self.unseen == "refuse":
            raise InputError(
                f"expected texts, got a part {part.kind!r} that the judge can not see; with "
                "`unseen: tell` it is named to the judge and the text is judged"
            )
        if part.kind not in self._told and len(self._told) < _MOST_TOLD:  # callers invent kinds
            self._told.add(part.kind)
            kind = quoted(part.kind)
            logger.warning("the judge can not see parts of kind %s; it reads the text", kind)
        return str(part)


def _end_of(prompt: str | Chat) -> str:
    """The text that a completion goes on from: the prompt, or a turn that the assistant began."""
    if isinstance(prompt, str):
        return prompt
    last = prompt[-1] if prompt else {}
    content = last.get("content") if last.get("role") == "assistant" else ""
    return content if isinstance(content, str) else ""


def _call(call: Mapping[str, Any]) -> str:
    function = call.get("function", call)
    arguments = function.get("arguments", {})
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False, default=str)
    return f"[call of {function.get('name') or 'tool'}] {arguments}"
