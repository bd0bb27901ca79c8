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
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from grm_plugin.errors import GRMError, JudgeClosedError, PluginError
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
        self._loop.set_default_executor(_with_a_thread())
        self._leaving = self._ending = False
        self._end_of_all: GRMError = JudgeClosedError("the judge was closed meanwhile")
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
        """Start ``work`` on the loop; cancelling the future cancels it.

        Raises:
            JudgeClosedError: the loop was closed.
            LoopBlocked: it was given up.
        """
        try:
            if not self._ending:
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the loop was closed just now
            pass
        work.close()
        raise self._over()

    def run(self, work: Coroutine[Any, Any, T], *, patience_s: float | None = None) -> T:
        """Run ``work`` to its end, from any thread but the loop's own.

        Args:
            work: what to run.
            patience_s: another patience than usual.

        Raises:
            LoopBlocked: the loop gives no sign of life; names the part that blocks it.
            JudgeClosedError: the loop was closed before ``work`` was done.
        """
        future = self.submit(work)
        try:
            while not concurrent.futures.wait({future}, timeout=_BEAT_S).done:
                self._check(patience_s or self._patience_s)
            return self._result(future)
        finally:  # also KeyboardInterrupt: never leave work behind
            future.cancel()

    async def run_async(self, work: Coroutine[Any, Any, T]) -> T:
        """:meth:`run` for callers with an event loop of their own."""
        future = asyncio.wrap_future(self.submit(work))
        try:
            while not (await asyncio.wait({future}, timeout=_BEAT_S))[0]:
                self._check(self._patience_s)
            return self._result(future)
        finally:
            future.cancel()

    def _over(self) -> GRMError:
        """Why nothing runs here any more; a new one for everybody who asks."""
        return type(self._end_of_all)(*self._end_of_all.args)

    def _result(self, future: Future[T] | asyncio.Future[T]) -> T:
        if future.cancelled() and self._leaving:
            raise self._over()
        return future.result()

    def _check(self, patience_s: float) -> None:
        """Ask for a sign of life, or see how long the last one is owed."""
        now = time.monotonic()
        if self._loop.is_closed():
            raise self._over()
        if self._answered_at >= self._asked_at:
            self._asked_at = now
            self._loop.call_soon_threadsafe(self._answer)
            return
        owed_s = now - self._asked_at
        if owed_s > patience_s:
            raise self._blocked(owed_s)
        if owed_s > _TELL_AFTER_S and not self._told:
            self._told = True
            logger.warning("%s blocks the judge's event loop", self._blocker())

    def _answer(self) -> None:
        self._answered_at, self._told = time.monotonic(), False

    def _blocked(self, owed_s: float) -> LoopBlocked:
        """The error that names who blocks; the same one for all who wait, once it is given up."""
        if self._ending and isinstance(self._end_of_all, LoopBlocked):
            return LoopBlocked(*self._end_of_all.args)
        return LoopBlocked(f"{self._blocker()} blocks the judge's event loop for {owed_s:.0f} s")

    def _blocker(self) -> str:
        return blocker(sys._current_frames().get(self._thread.ident or 0))

    def give_up(self, last: Coroutine[Any, Any, object]) -> bool:
        """Leave a blocked loop to itself; should it ever go on, ``last`` is all it does.

        False where it was closed or given up before.
        """
        if self._ending:
            last.close()
            return False
        self._end_of_all = self._blocked(time.monotonic() - self._asked_at)
        self._leaving = True
        self.submit(self._end(last))
        self._ending = True
        return True

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
        self._leaving = True
        self.run(_cancel_rest())
        self._ending = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(GRACE_S)


def _with_a_thread() -> ThreadPoolExecutor:
    """An executor that can close parts at exit: some Pythons begin no thread by then (3.12.1)."""
    executor = ThreadPoolExecutor(thread_name_prefix="grm-worker")
    executor.submit(int).result()
    return executor


async def _cancel_rest() -> None:
    rest = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=GRACE_S)
