"""How far a command is: a bar in a terminal, a line every 30 s elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grm_plugin.hosts.counting import Tally
from grm_plugin.prices import dollars
from grm_plugin.report.tally import rate
from grm_plugin.report.terminal import err, say
from grm_plugin.types import Verdict

EVERY_S = 30.0


class Meter(AbstractContextManager["Meter"]):
    """Shows on standard error how many of ``total`` are done, and how it goes.

    Args:
        total: how many there will be; None for a stream.
        unit: what is counted, in the plural.
        done: how many there are already.
        state: what to say before the first.
    """

    def __init__(self, total: int | None, unit: str, *, done: int = 0, state: str) -> None:
        self._total, self._unit = total, unit
        self._started = self._told = time.monotonic()
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}, left"))
        self._progress = Progress(
            *columns, TimeRemainingColumn(), console=err, disable=not err.is_terminal
        )
        self._task = self._progress.add_task("", total=total, completed=done, state=state)

    @property
    def seconds(self) -> float:
        """Wall seconds since the start."""
        return time.monotonic() - self._started

    def show(self, done: int, state: str) -> None:
        """Say where things are now."""
        self._progress.update(self._task, completed=done, state=state)
        now = time.monotonic()
        if self._progress.disable and now - self._told >= EVERY_S:
            self._told = now
            total = f"/{self._total}" if self._total else ""
            say(f"{done}{total} {self._unit}, {state}")

    def __enter__(self) -> Self:
        self._started = self._told = time.monotonic()
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()


class Bar(Meter):
    """A tally that shows how it grows.

    Args:
        tally: what is there already; verdicts are added to it.
        total: groups in all; None for a stream.
    """

    def __init__(self, tally: Tally, total: int | None) -> None:
        self.tally, self._before = tally, tally.groups
        waiting = "waiting for the first verdict"
        super().__init__(total, "groups", done=self._before, state=waiting)

    @property
    def judged(self) -> int:
        """Groups judged since the start."""
        return self.tally.groups - self._before

    @property
    def seconds(self) -> float:
        """Wall seconds since the start, 0 before the first verdict."""
        return super().seconds if self.judged else 0.0

    def add(self, verdict: Verdict) -> None:
        """Count one verdict and show where the tally is now."""
        self.tally.add(verdict)
        self.show(self.tally.groups, self._state())

    def _state(self) -> str:
        tally = self.tally
        valid = f"{tally.valid_rate:.0%} of samples" if tally.samples else "no sample"
        return (
            f"{rate(self.judged, self.seconds)}, {valid} valid, "
            f"{tally.unscored.total()} unscored{self._paid()}"
        )

    def _paid(self) -> str:
        money, unpriced = self.tally.cost.money, self.tally.cost.unpriced
        least = "at least " if unpriced else ""
        return "" if money is None else f", {least}{dollars(money)}"
