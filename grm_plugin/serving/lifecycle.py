"""Whether the server takes calls, and if not, why."""

from __future__ import annotations

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

    ``reason`` says why calls are refused, ``error`` why there will be no more verdicts, and
    ``started`` whether the judge ever was ready.
    """

    def __init__(self) -> None:
        self.status = Status.STARTING
        self.reason = "the judge is starting"
        self.error: Exception | None = None
        self.started = False

    def ready(self) -> None:
        """The judge has started."""
        if self.status is Status.STARTING:
            self.status, self.reason, self.started = Status.READY, "", True

    def drain(self) -> None:
        """No new calls; those in flight are answered."""
        if self.status is not Status.DEAD:
            self.status, self.reason = Status.DRAINING, "the server is shutting down"

    def die(self, error: Exception) -> None:
        """There will be no more verdicts: the judge is dead, or they can not be recorded."""
        self.status, self.reason, self.error = Status.DEAD, str(error), error

    def check(self) -> None:
        """Refuse a call that can not be served now.

        Raises:
            Unavailable: with the reason.
        """
        if self.status is not Status.READY:
            raise Unavailable(f"{self.status}: {self.reason}")
