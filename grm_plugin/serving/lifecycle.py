"""Whether the server takes calls, and if not, why."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from grm_plugin.serving.errors import Unavailable


class Status(StrEnum):
    """What the server is doing."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    DEAD = "dead"


class Lifecycle:
    """Starting, then ready, then draining or dead; it never goes back.

    ``reason`` says why calls are refused, and ``error`` why the judge could not be started or
    counts as dead.
    """

    def __init__(self) -> None:
        self.status = Status.STARTING
        self.reason = "the judge is starting"
        self.error: Exception | None = None

    def ready(self) -> None:
        """The judge has started."""
        if self.status is Status.STARTING:
            self.status, self.reason = Status.READY, ""

    def drain(self) -> None:
        """No new calls; those in flight are answered."""
        if self.status is not Status.DEAD:
            self.status, self.reason = Status.DRAINING, "the server is shutting down"

    def die(self, error: Exception) -> None:
        """The judge is of no use any more."""
        self.status, self.reason, self.error = Status.DEAD, str(error), error

    def check(self) -> None:
        """Refuse a call that can not be served now.

        Raises:
            Unavailable: with the reason.
        """
        if self.status is not Status.READY:
            raise Unavailable(f"{self.status}: {self.reason}")


class Calls:
    """The calls in flight: counted, bounded, and waited for."""

    def __init__(self, most: int) -> None:
        self.most, self.now = most, 0
        self._none = asyncio.Event()
        self._none.set()

    def begin(self) -> bool:
        """Count one more, unless there are too many."""
        if self.now >= self.most:
            return False
        self.now += 1
        self._none.clear()
        return True

    def end(self) -> None:
        """One less."""
        self.now -= 1
        if not self.now:
            self._none.set()

    async def ended(self) -> None:
        """Return when none is in flight."""
        await self._none.wait()
