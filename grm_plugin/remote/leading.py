"""One request of each prompt goes ahead of the others, so that they find the prompt cached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from grm_plugin.types import Message, digest

_MOST_PROMPTS = 4096


class Leading:
    """Lets the first request with each prompt of a group through, and the others when it is over.

    For servers that share a prompt only once they have answered a request that began with it. What
    comes of the first plays no part: when it fails, the others go all the same.
    """

    def __init__(self) -> None:
        self._answered: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def turn(self, group: str, messages: Sequence[Message]) -> AsyncIterator[None]:
        """The body is one request of ``group``; without a group it waits for nobody.

        Args:
            group: its fingerprint: another group may be asked elsewhere.
            messages: the prompt; each order in which a group is shown is one of its own.
        """
        prompt = digest(repr((group, messages)))
        if not group:
            yield
        elif prompt in self._answered:
            await self._answered[prompt].wait()
            yield
        else:
            answered = self._answered[prompt] = asyncio.Event()
            self._forget()
            try:
                yield
            finally:
                answered.set()

    def _forget(self) -> None:
        """Prompts of long ago; one that still waits would only get a second leader."""
        while len(self._answered) > _MOST_PROMPTS:
            del self._answered[next(iter(self._answered))]
