"""No more requests a minute than a judge allows."""

from __future__ import annotations

import asyncio
import time

_AHEAD_S = 30.0


class Pace:
    """Spaces requests evenly.

    Args:
        per_minute: most requests in a minute; None sets no limit.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._apart_s = 60.0 / per_minute if per_minute else 0.0
        self._next_at = 0.0

    async def caught_up(self) -> None:
        """Return when no more requests wait for their turn than can be sent in half a minute."""
        await asyncio.sleep(max(0.0, self._next_at - time.monotonic() - _AHEAD_S))

    async def turn(self) -> None:
        """Return when the next request may be sent; turns are given in the order of the calls."""
        now = time.monotonic()
        at = max(now, self._next_at)
        self._next_at = at + self._apart_s
        if at > now:
            await asyncio.sleep(at - now)
