"""Bounds how many draws are in flight, and lets a judge that is busy bound it further."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Slots:
    """A semaphore that is taken several at a time, by whoever came first.

    Without the order a request for many draws would wait for ever behind small ones. The size
    adapts as TCP's window does: half of it whenever the judge says that it is busy, and one more
    whenever as many draws as there are slots were answered, up to ``most`` again.

    Args:
        most: draws in flight; a request for more takes them all.
    """

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, 0
        self._size = float(most)
        self._tickets = count()
        self._nobody_waits = asyncio.Event()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @property
    def size(self) -> int:
        """How many draws may be in flight now."""
        return int(self._size)

    def ticket(self) -> int:
        """A place in the queue, which a request keeps when it has to queue again."""
        return next(self._tickets)

    @asynccontextmanager
    async def hold(self, n: int, ticket: int | None = None) -> AsyncIterator[None]:
        """Hold ``n`` slots for the body; those with a lower ticket get theirs before."""
        await self._take(n, self.ticket() if ticket is None else ticket)
        try:
            yield
        finally:
            self._give(n)

    async def unwanted(self) -> None:
        """Return when nobody waits for slots."""
        while self._waiting:
            self._nobody_waits.clear()
            await self._nobody_waits.wait()

    def shrink(self) -> None:
        """The judge is busy: half as many at a time."""
        self._size = max(1.0, self._size / 2)

    def grow(self, n: int) -> None:
        """The judge answered ``n`` draws."""
        if self._size < self.most:
            self._size = min(float(self.most), self._size + n / self._size)
            self._admit()

    async def _take(self, n: int, ticket: int) -> None:
        if not self._waiting and self._fits(n):
            self.taken += n
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (ticket, n, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            granted = turn.done() and not turn.cancelled()
            self._give(n if granted else 0)
            raise

    def _fits(self, n: int) -> bool:
        return self.taken == 0 or self.taken + n <= self.size

    def _give(self, n: int) -> None:
        self.taken -= n
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            _, n, turn = self._waiting[0]
            if not turn.done() and not self._fits(n):
                return
            heapq.heappop(self._waiting)
            if not turn.done():
                self.taken += n
                turn.set_result(None)
        self._nobody_waits.set()
