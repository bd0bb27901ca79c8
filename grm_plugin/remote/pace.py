"""No more requests a minute than a judge allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_AHEAD_S = 30.0


class Pace:
    """Spaces requests evenly.

    Args:
        per_minute: most requests in a minute; None sets no limit.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._apart_s = 60.0 / per_minute if per_minute else 0.0
        self._next_at = 0.0
        self._waiting = 0
        self._queue = asyncio.Lock()

    async def caught_up(self) -> None:
        """Return when no more requests wait for their turn than can be sent in half a minute."""
        ahead_s = self._next_at - time.monotonic() + self._waiting * self._apart_s
        await asyncio.sleep(max(0.0, ahead_s - _AHEAD_S))

    async def turn(self, wanted: Callable[[], bool] = lambda: True) -> bool:
        """Wait for the turn to send a request; turns are given in the order of the calls.

        Args:
            wanted: asked when it is there; one that is not wanted any more is the next caller's.

        Returns:
            Whether the turn was taken.
        """
        self._waiting += 1
        try:
            async with self._queue:
                at = max(time.monotonic(), self._next_at)
                if (wait_s := at - time.monotonic()) > 0:
                    await asyncio.sleep(wait_s)
                if not wanted():
                    return False
                self._next_at = at + self._apart_s
                return True
        finally:
            self._waiting -= 1
