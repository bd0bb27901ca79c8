"""Who waits for a turn, and is woken from any thread."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass


@dataclass(eq=False)
class Waiting:
    """One who wants to begin.

    Args:
        turn: what is waited for; None before anything is.
    """

    turn: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Let the one look again, on the loop where it waits."""
        if self.turn:
            with contextlib.suppress(RuntimeError):  # its loop was closed meanwhile
                self.turn.get_loop().call_soon_threadsafe(_resolve, self.turn)


def _resolve(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
