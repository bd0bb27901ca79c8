"""One request of a group goes ahead of the others, so that they find its prompt cached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_MOST_GROUPS = 4096


class Leading:
    """Lets the first request of each group through at once, and the others when it is over.

    For servers that share a prompt only once they have answered a request that began with it. What
    comes of the first plays no part: when it fails, the others go all the same.
    """

    def __init__(self) -> None:
        self._answered: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def turn(self, group: str) -> AsyncIterator[None]:
        """The body is one request of ``group``; without a group it waits for nobody."""
        if not group:
            yield
        elif group in self._answered:
            await self._answered[group].wait()
            yield
        else:
            answered = self._answered[group] = asyncio.Event()
            self._forget()
            try:
                yield
            finally:
                answered.set()

    def _forget(self) -> None:
        """Groups of long ago; one that still waits would only get a second leader."""
        while len(self._answered) > _MOST_GROUPS:
            del self._answered[next(iter(self._answered))]
