"""A stream of items worked on at once and given back in order, however slowly its source comes.

Everything here lives on one event loop; only the source itself is read in a thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")
ResultT = TypeVar("ResultT")


class InOrder(Generic[T, ResultT]):
    """The results of ``work`` on each item of a source, in its order; made on the loop it uses.

    A result is given as soon as those before it were, also while the source makes us wait. An error
    of the source is raised after the results of what came before it.

    Args:
        source: read lazily, in a thread of its own.
        work: what is done with each item; it does not return None.
        most: items that are taken but not given back yet; the one in the caller's hands counts.
    """

    def __init__(
        self, source: Iterable[T], work: Callable[[T], Awaitable[ResultT]], *, most: int
    ) -> None:
        self._work = work
        self._room = asyncio.Semaphore(most - 1)
        self._begun: asyncio.Queue[asyncio.Future[ResultT] | None] = asyncio.Queue()
        self._reader = _Reader(source)
        self._feeding = asyncio.create_task(self._feed())

    async def next(self) -> ResultT | None:
        """The next result, or None when there are no more."""
        self._room.release()  # the caller is done with the one before
        if future := await self._begun.get():
            return await future
        await self._feeding
        return None

    async def close(self) -> None:
        """Cancel what is open; may be called at any time."""
        self._feeding.cancel()
        await asyncio.gather(self._feeding, return_exceptions=True)
        rest = [future for _ in range(self._begun.qsize()) if (future := self._begun.get_nowait())]
        for future in rest:
            future.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _feed(self) -> None:
        try:
            while await self._room.acquire():
                item = await self._reader.take()
                if item is _END:
                    return
                self._begun.put_nowait(asyncio.ensure_future(self._work(item)))
        finally:
            self._reader.close()
            self._begun.put_nowait(None)


_END: Any = object()


class _Reader(Generic[T]):
    """Takes items of an iterable in a daemon thread, one at a time and only when asked."""

    def __init__(self, source: Iterable[T]) -> None:
        self._source = iter(source)
        self._asked: SimpleQueue[asyncio.Future[T] | None] = SimpleQueue()
        threading.Thread(target=self._run, name="grm-source", daemon=True).start()

    def take(self) -> asyncio.Future[T]:
        """The next item, or ``_END``; raises what the source raises."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.put(future)
        return future

    def close(self) -> None:
        """End the thread, once the source returns what it was asked for."""
        self._asked.put(None)

    def _run(self) -> None:
        while (future := self._asked.get()) is not None:
            item, error = _END, None
            try:
                item = next(self._source, _END)
            except BaseException as raised:  # whatever it is, the caller must hear of it
                error = raised
            try:
                future.get_loop().call_soon_threadsafe(_settle, future, item, error)
            except RuntimeError:  # the loop was closed meanwhile
                return


def _settle(future: asyncio.Future[T], item: T, error: BaseException | None) -> None:
    if future.done():
        return
    if error:
        future.set_exception(error)
    else:
        future.set_result(item)
