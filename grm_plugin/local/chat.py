"""From messages to the prompt tokens of a local model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grm_plugin.engine import Draw
from grm_plugin.errors import ContextError, EngineError
from grm_plugin.local.turns import ChatTemplate, System
from grm_plugin.prompts.control import is_mark
from grm_plugin.thinking import Thinking
from grm_plugin.types import Message

_END = 32  # tokens of a prompt in which an opening mark at its end is found


class ChatEncoder:
    """Encodes messages in the chat template of a model.

    The texts of its control tokens become control tokens where the template writes them, and
    plain text where they stand in the content of a message: what is judged can not end a turn.
    Contents without such texts are encoded together with the template, as servers do it.

    Args:
        tokenizer: of transformers, or one that can be called like it.
        system: where the text of a system turn goes; see
            :class:`grm_plugin.local.turns.ChatTemplate`.
        owner: how messages call the engine.
    """

    def __init__(self, tokenizer: Any, system: System = "auto", owner: str = "the judge") -> None:
        self._tokenizer = tokenizer
        self.template = ChatTemplate(tokenizer, system, owner)
        added = dict(getattr(tokenizer, "added_tokens_decoder", None) or {})
        self.control_tokens = tuple(str(token) for token in added.values())
        marks = {int(one): str(token) for one, token in added.items() if is_mark(str(token))}
        self._marks = frozenset(marks)
        self._firsts = frozenset(text.strip()[0] for text in marks.values())
        self._opened: dict[tuple[str, ...], bool] = {}

    def encode(self, messages: Sequence[Message], *, answer: bool = True) -> list[int]:
        """Token ids of ``messages``.

        A model without a chat template gets the contents of the messages, joined by blank lines.

        Args:
            messages: the turns.
            answer: whether the model's own turn is opened behind them; a classifier reads turns
                that are over.
        """
        if any(self._has_marks(message.content) for message in messages):
            return self._encoded_apart(messages, answer)
        return self._ids(self.template.rendered(messages, answer=answer), whole=True)

    def marked(
        self, messages: Sequence[Message], draws: Sequence[Draw | EngineError]
    ) -> list[Draw | EngineError]:
        """``draws`` of ``messages``, which know whether the chat template opened a thought."""
        if not self.opens_thought(messages):
            return list(draws)
        return [replace(one, opened=True) if isinstance(one, Draw) else one for one in draws]

    def opens_thought(self, messages: Sequence[Message]) -> bool:
        """Whether the chat template leaves a thought open after ``messages``, whatever they hold.

        Where the marks of thinking are special tokens, no text has one: then nobody can tell.
        """
        roles = tuple(message.role for message in messages)
        if not self.template.is_there:
            return False
        if roles not in self._opened:
            ids = self._ids(self.template.rendered([Message(role, "x") for role in roles]))
            end = self._tokenizer.decode(ids[-_END:], skip_special_tokens=True)
            self._opened[roles] = Thinking().ends_open(str(end))
        return self._opened[roles]

    def _ids(self, text: str, *, whole: bool = False) -> list[int]:
        # a chat template writes the special tokens of a whole prompt itself
        special = whole and not self.template.is_there
        return list(self._tokenizer(text, add_special_tokens=special).input_ids)

    def _has_marks(self, text: str) -> bool:
        if not any(first in text for first in self._firsts):
            return False
        return not self._marks.isdisjoint(self._ids(text))

    def _encoded_apart(self, messages: Sequence[Message], answer: bool) -> list[int]:
        """Ids where the marks in contents are taken out before the template is filled."""
        taken: list[str] = []
        place = _absent(messages)
        without = [
            replace(message, content=self._without_marks(message.content, place, taken))
            for message in messages
        ]
        # re.split with one group alternates what the template wrote and what was taken
        parts = re.split(rf"{place}(\d+)Z", self.template.rendered(without, answer=answer))
        ids = [
            self._plain(taken[int(part)]) if number % 2 else self._ids(part)
            for number, part in enumerate(parts)
        ]
        before, after = self._around()
        return [*before, *(token for part in ids for token in part), *after]

    def _without_marks(self, text: str, place: str, taken: list[str]) -> str:
        """``text`` with a numbered place for every word that holds marks, or one for all of it."""
        if not self._has_marks(text):
            return text
        words = re.findall(r"\s+|\S+", text)
        shown = "".join(
            _taken(word, place, taken) if self._has_marks(word) else word for word in words
        )
        return _taken(text, place, taken) if self._has_marks(shown) else shown

    def _plain(self, text: str) -> list[int]:
        """Ids of ``text`` without any control token: it is cut until none is found."""
        ids = self._ids(text)
        if self._marks.isdisjoint(ids):
            return ids
        half = len(text) // 2
        return [*self._plain(text[:half]), *self._plain(text[half:])] if half else []

    def _around(self) -> tuple[list[int], list[int]]:
        """What a tokenizer without a chat template puts before and after a text."""
        whole, bare = self._ids("x", whole=True), self._ids("x")
        extra = len(whole) - len(bare)
        start = next(at for at in range(extra + 1) if whole[at : at + len(bare)] == bare)
        return whole[:start], whole[start + len(bare) :]


def _taken(text: str, place: str, taken: list[str]) -> str:
    taken.append(text)
    return f"{place}{len(taken) - 1}Z"


def _absent(messages: Sequence[Message]) -> str:
    """A word that no message holds, and that no template would change."""
    contents = [message.content for message in messages]
    number = 0
    while any(f"QX{number}X" in content for content in contents):
        number += 1
    return f"QX{number}X"


def check_context(owner: str, prompt: int, max_tokens: int, context: int | None) -> None:
    """Refuse what does not fit; a prompt is never truncated.

    Args:
        owner: how the message calls the engine, say ``engine 'vllm'``.
        prompt: tokens of the prompt.
        max_tokens: tokens the judge may write.
        context: tokens the judge can hold; None when not known.

    Raises:
        ContextError: names the numbers and what to do.
    """
    if context is not None and prompt + max_tokens > context:
        raise ContextError(
            f"{owner}: {prompt} prompt tokens and max_tokens {max_tokens} are over the judge's "
            f"context of {context}; lower max_tokens or show fewer or shorter responses"
        )
