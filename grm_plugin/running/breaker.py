"""Stops a run whose judge is dead, instead of letting it train on nothing."""

from __future__ import annotations

from collections.abc import Sequence

from grm_plugin.errors import JudgeDeadError
from grm_plugin.types import Verdict


class Breaker:
    """Counts batches in a row without one reward.

    Args:
        most: with so many of them the judge counts as dead.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._dead = 0

    def count(self, batch: Sequence[Verdict]) -> None:
        """Count one batch; an empty one says nothing.

        Raises:
            JudgeDeadError: it was one too many; quotes why the last group is unscored.
        """
        if not batch:
            return
        alive = any(verdict.scored for verdict in batch)
        self._dead = 0 if alive else self._dead + 1
        if self._dead >= self._most:
            last = "1 group" if len(batch) == 1 else f"{len(batch)} groups"
            raise JudgeDeadError(
                f"{self._dead} batches in a row ({last} in the last) came back without one "
                f"reward; the last group says: {batch[-1].unscored}"
            )


class Batches:
    """The verdicts of a stream, counted in batches of ``size``."""

    def __init__(self, breaker: Breaker, size: int) -> None:
        self._breaker, self._size = breaker, size
        self._batch: list[Verdict] = []

    def add(self, verdict: Verdict) -> None:
        """Take the next verdict; raises as :meth:`Breaker.count` when its batch is full."""
        self._batch.append(verdict)
        if len(self._batch) == self._size:
            self.end()

    def end(self) -> None:
        """Count what is there, also when the batch is not full."""
        batch, self._batch = self._batch, []
        self._breaker.count(batch)
