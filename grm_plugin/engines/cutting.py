"""Finds out whether a server cut a prompt without a word: some judge only what fits them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from grm_plugin.errors import ContextError, EngineError, RequestTimeout, TransportError
from grm_plugin.types import Message

# No server cuts shorter ones, and a stand-in may tell any number for them.
_SHORT_CHARACTERS = 8192
_FEWEST_TOKENS = 256
# More characters a token than these are worth a question. English has about 4.7, Cyrillic 3.5,
# Chinese 1.6; code with deep indentation may have more and is found to be whole.
_MUCH, _MUCH_CJK, _CJK = 6.0, 2.5, "\u2e80"
# More tokens than a text has bytes are possible only for the frame that the server puts around it.
_FRAME_TOKENS = 4096
# Tokens of the halves of a text may differ from those of the whole by a few.
_ROUNDING = 0.95

Ask = Callable[[Sequence[Message]], Awaitable[int]]


class CutPrompts:
    """Compares the prompt tokens that a server tells with the text it was sent.

    A token can hold any number of characters, so no count alone proves a cut. Where it is
    suspiciously low the server itself is asked for the tokens of both halves of the text: whole
    prompts add up, whatever the vocabulary; cut ones do not. A server that counts only what it
    had not cached, or does not count at all, is believed.

    Args:
        ask: the prompt tokens that the server tells for some messages; 0 when it tells none.
        owner: how messages call the engine.
        context_tokens: what the user says that the server holds.
    """

    def __init__(self, ask: Ask, owner: str, context_tokens: int | None) -> None:
        self._ask, self._owner, self._context_tokens = ask, owner, context_tokens
        self._whole = 0
        self._takes_questions = True
        self._one_by_one = asyncio.Lock()

    async def check(self, messages: Sequence[Message], told: int, max_tokens: int) -> None:
        """Raise ContextError when the judge can not have seen all of ``messages``.

        Args:
            messages: the prompt.
            told: its tokens as the server tells them; 0 when it does not. More than the text can
                have are not believed.
            max_tokens: tokens the judge may write.
        """
        if not _possible(messages, told):
            return
        if self._context_tokens is not None and told + max_tokens > self._context_tokens:
            raise ContextError(
                f"{self._owner}: {told} prompt tokens and max_tokens {max_tokens} are over "
                f"context_tokens {self._context_tokens}; lower max_tokens or show fewer or "
                "shorter responses"
            )
        if told > self._whole and suspicious(messages, told):
            async with self._one_by_one:
                await self._question(messages, told)

    async def _question(self, messages: Sequence[Message], told: int) -> None:
        if not self._takes_questions:
            return
        try:
            expected = await self._by_halves(messages, told)
        except (TransportError, RequestTimeout):
            return  # nothing is known then; the trouble meets the next sample
        except EngineError:  # it may be this text that the server refuses, or any such question
            self._takes_questions = await self._would_take_one()
            return
        if expected is None or told >= _ROUNDING * expected:
            self._whole = max(self._whole, told)
            return
        raise ContextError(
            f"{self._owner}: the judge server cut the prompt without a word: it tells {told} "
            f"prompt tokens for a text of {_characters(messages)} characters, whose halves have "
            f"{expected} together; raise the server's context, and name it with context_tokens"
        )

    async def _would_take_one(self) -> bool:
        """Whether the server takes a request for one token; some want more."""
        try:
            await self._ask([Message("user", ".")])
        except (TransportError, RequestTimeout):
            return True
        except EngineError:
            return False
        return True

    async def _by_halves(self, messages: Sequence[Message], told: int) -> int | None:
        """Tokens of the whole by those of its halves; None when the counts mean nothing."""
        if await self._ask(messages) != told:
            return None
        first, second, frame = [await self._ask(part) for part in _parts(messages)]
        return first + second - frame


def _possible(messages: Sequence[Message], told: int) -> bool:
    """Whether a tokenizer can find ``told`` tokens in a text."""
    return told <= _FRAME_TOKENS + sum(len(message.content.encode()) for message in messages)


def suspicious(messages: Sequence[Message], told: int) -> bool:
    """Whether ``told`` tokens are surprisingly few for a long text."""
    if told < _FEWEST_TOKENS or _characters(messages) < _SHORT_CHARACTERS:
        return False
    return told < sum(_few_tokens(message.content) for message in messages)


def _few_tokens(text: str) -> float:
    cjk = 0 if text.isascii() else sum(character >= _CJK for character in text)
    return (len(text) - cjk) / _MUCH + cjk / _MUCH_CJK


def _characters(messages: Sequence[Message]) -> int:
    return sum(len(message.content) for message in messages)


def _parts(messages: Sequence[Message]) -> list[list[Message]]:
    """``messages`` with the first half of the longest, with its second half, with none of it."""
    longest = max(range(len(messages)), key=lambda place: len(messages[place].content))
    text = messages[longest].content
    half = len(text) // 2
    return [
        [
            replace(message, content=part) if place == longest else message
            for place, message in enumerate(messages)
        ]
        for part in (text[:half], text[half:], ".")
    ]
