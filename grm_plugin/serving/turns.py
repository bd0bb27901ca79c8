"""Places that callers get in turns: who asks for little does not wait for who asks for much."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """A semaphore that is fair to callers: each gets the next free place in its turn.

    Args:
        places: how many may be inside at a time.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # whose turn is next first

    async def enter(self, caller: str) -> None:
        """Return when it is the caller's turn to be inside."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn came just before it went
                self.leave()
            raise

    def leave(self) -> None:
        """Whoever was inside has gone: the place is the next caller's."""
        while self._waiting:
            caller = next(iter(self._waiting))
            queue = self._waiting.pop(caller)
            turn = queue.popleft()
            if queue:
                self._waiting[caller] = queue  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
