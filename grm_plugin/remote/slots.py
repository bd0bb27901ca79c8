"""Bounds how many draws are in flight, whatever the number of draws per request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """A semaphore that is taken several at a time, first come, first served.

    Without the order a request for many draws would wait for ever behind small ones.

    Args:
        size: draws in flight; a request for more takes them all.
    """

    def __init__(self, size: int) -> None:
        self.size = self.free = size
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    @asynccontextmanager
    async def hold(self, n: int) -> AsyncIterator[None]:
        """Hold ``n`` slots for the body."""
        n = min(n, self.size)
        await self._take(n)
        try:
            yield
        finally:
            self._give(n)

    async def _take(self, n: int) -> None:
        if not self._waiting and n <= self.free:
            self.free -= n
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, n))
        try:
            await turn
        except asyncio.CancelledError:
            granted = turn.done() and not turn.cancelled()
            self._give(n if granted else 0)
            raise

    def _give(self, n: int) -> None:
        self.free += n
        while self._waiting:
            turn, wanted = self._waiting[0]
            if not turn.done() and wanted > self.free:
                return
            self._waiting.popleft()
            if not turn.done():
                self.free -= wanted
                turn.set_result(None)
