"""An event loop in a thread of its own: the judge works for callers with and without one.

A part that blocks the loop would make every caller wait for ever. So those who wait ask the loop
for a sign of life now and then, and give it up when it owes one for too long.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import math
import sys
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from grm_plugin.errors import PluginError
from grm_plugin.running.guarded import GRACE_S, blocker

logger = logging.getLogger(__name__)
T = TypeVar("T")

_BEAT_S = 0.5
_TELL_AFTER_S = 10.0


class LoopBlocked(PluginError):
    """A part blocks the event loop, so that nothing that runs on it can go on."""


class LoopThread:
    """Runs coroutines on a daemon thread; started on first use, closed once.

    Args:
        name: of the thread.
        patience_s: how long the loop may owe a sign of life.
    """

    def __init__(self, name: str, patience_s: float = math.inf) -> None:
        self._patience_s = patience_s
        self._asked_at, self._answered_at = -math.inf, 0.0
        self._told = False
        self._loop = asyncio.new_event_loop()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending:
            try:
                self._loop.run_forever()
            except BaseException:  # a task of a part's own raised SystemExit
                logger.exception("a part tried to end the event loop")
        self._loop.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed, or given up."""
        return self._ending

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start ``work`` on the loop; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T], *, patience_s: float | None = None) -> T:
        """Run ``work`` to its end, from any thread but the loop's own.

        Args:
            work: what to run.
            patience_s: another patience than usual.

        Raises:
            LoopBlocked: the loop gives no sign of life; names the part that blocks it.
        """
        future = self.submit(work)
        try:
            while not concurrent.futures.wait({future}, timeout=_BEAT_S).done:
                self._check(patience_s or self._patience_s)
            return future.result()
        finally:  # also KeyboardInterrupt: never leave work behind
            future.cancel()

    async def run_async(self, work: Coroutine[Any, Any, T]) -> T:
        """:meth:`run` for callers with an event loop of their own."""
        future = asyncio.wrap_future(self.submit(work))
        try:
            while not (await asyncio.wait({future}, timeout=_BEAT_S))[0]:
                self._check(self._patience_s)
            return future.result()
        finally:
            future.cancel()

    def _check(self, patience_s: float) -> None:
        """Ask for a sign of life, or see how long the last one is owed."""
        now = time.monotonic()
        if self._answered_at >= self._asked_at:
            self._asked_at = now
            self._loop.call_soon_threadsafe(self._answer)
            return
        owed_s = now - self._asked_at
        if owed_s > patience_s:
            raise LoopBlocked(f"{self._blocker()} blocks the judge's event loop for {owed_s:.0f} s")
        if owed_s > _TELL_AFTER_S and not self._told:
            self._told = True
            logger.warning("%s blocks the judge's event loop", self._blocker())

    def _answer(self) -> None:
        self._answered_at, self._told = time.monotonic(), False

    def _blocker(self) -> str:
        return blocker(sys._current_frames().get(self._thread.ident or 0))

    def give_up(self, last: Coroutine[Any, Any, object]) -> None:
        """Leave a blocked loop to itself; should it ever go on, ``last`` is all it does."""
        self.submit(self._end(last))
        self._ending = True

    async def _end(self, last: Coroutine[Any, Any, object]) -> None:
        try:
            await _cancel_rest()
            await last
        finally:
            self._loop.stop()

    def close(self) -> None:
        """Stop the loop and wait for its thread; may be called twice.

        Raises:
            LoopBlocked: as :meth:`run`.
        """
        if self.closed:
            return
        self.run(_cancel_rest())
        self._ending = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(GRACE_S)


async def _cancel_rest() -> None:
    rest = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=GRACE_S)
