"""How far ``grm score`` is: a bar in a terminal, a line every 30 s elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grm_plugin.cli.tally import Tally, rate
from grm_plugin.cli.terminal import err, say
from grm_plugin.types import Verdict

EVERY_S = 30.0


class Bar(AbstractContextManager["Bar"]):
    """A tally that shows on standard error how it grows.

    Args:
        tally: what is there already; verdicts are added to it.
        total: groups in all; None for a stream.
    """

    def __init__(self, tally: Tally, total: int | None) -> None:
        self.tally, self._total = tally, total
        self._before = tally.groups
        self._started = self._told = time.monotonic()
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}, left"))
        self._progress = Progress(
            *columns, TimeRemainingColumn(), console=err, disable=not err.is_terminal
        )
        self._task = self._progress.add_task(
            "", total=total, completed=self._before, state="waiting for the first verdict"
        )

    @property
    def judged(self) -> int:
        """Groups judged since the start."""
        return self.tally.groups - self._before

    @property
    def seconds(self) -> float:
        """Wall seconds since the start."""
        return time.monotonic() - self._started if self.judged else 0.0

    def add(self, verdict: Verdict) -> None:
        """Count one verdict and show where the tally is now."""
        self.tally.add(verdict)
        state = self._state()
        self._progress.update(self._task, completed=self.tally.groups, state=state)
        now = time.monotonic()
        if self._progress.disable and now - self._told >= EVERY_S:
            self._told = now
            total = f"/{self._total}" if self._total else ""
            say(f"{self.tally.groups}{total} groups, {state}")

    def _state(self) -> str:
        tally = self.tally
        return (
            f"{rate(self.judged, self.seconds)}, {tally.valid_rate:.0%} of samples valid, "
            f"{tally.unscored.total()} unscored"
        )

    def __enter__(self) -> Bar:
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
