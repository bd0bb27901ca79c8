"""Which calls belong to one group, without a time window and without knowing its size.

The host starts all samples of a prompt as coroutines of one event loop, in one go. So whoever
takes a seat before its first await sits with its siblings, and a callback that the first of them
schedules runs when all of them have sat down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from grm_openrlhf.errors import SiblingError

A = TypeVar("A")
R = TypeVar("R")
Judge = Callable[[Sequence[A]], Awaitable[Sequence[R]]]


class Gathering(Generic[A, R]):
    """Brings siblings together and has them judged once the last one has answered.

    Args:
        judge: gets the answers of a group in the order of its seats, gives one result for each.
    """

    def __init__(self, judge: Judge[A, R]) -> None:
        self._judge = judge
        self._open: dict[Hashable, _Group[A, R]] = {}

    @contextmanager
    def join(self, call: object, *more: Hashable) -> Iterator[Seat[A, R]]:
        """A seat among the siblings, to be taken before the first await.

        An error inside the context becomes known to the siblings, which would wait for ever.

        Args:
            call: an object that siblings share and that others never have at the same time.
            more: what else siblings have in common.
        """
        key = (id(call), *more)
        group = self._open.get(key)
        if group is None:
            # the group keeps the object, so that nobody else can get its id meanwhile
            group = self._open[key] = _Group(call, self._judge)
            asyncio.get_running_loop().call_soon(self._close, key)
        try:
            yield group.seat()
        except BaseException as error:
            group.fail(error)
            raise

    def _close(self, key: Hashable) -> None:
        self._open.pop(key).close()


class Seat(Generic[A, R]):
    """One sibling's place."""

    def __init__(self, group: _Group[A, R], place: int) -> None:
        self._group, self._place = group, place

    @property
    def group(self) -> asyncio.Future[Sequence[R]]:
        """What siblings share: done when the group is over, one way or another."""
        return self._group.results

    async def settle(self, answer: A) -> R:
        """Give the answer and wait for the group's results.

        Raises:
            SiblingError: another sibling failed, or the judging was cancelled.
        """
        results = await self._group.answer(self._place, answer)
        return results[self._place]


class _Group(Generic[A, R]):
    def __init__(self, call: object, judge: Judge[A, R]) -> None:
        self.call = call
        self._judge = judge
        self._seats = 0
        self._closed = False
        self._answers: dict[int, A] = {}
        self._task: asyncio.Task[Sequence[R]] | None = None
        self.results: asyncio.Future[Sequence[R]] = asyncio.get_running_loop().create_future()

    def seat(self) -> Seat[A, R]:
        self._seats += 1
        return Seat(self, self._seats - 1)

    def close(self) -> None:
        self._closed = True
        self._judge_if_complete()

    async def answer(self, place: int, answer: A) -> Sequence[R]:
        self._answers[place] = answer
        self._judge_if_complete()
        # a sibling that is cancelled must not cancel what the others wait for
        return await asyncio.shield(self.results)

    def fail(self, error: BaseException) -> None:
        if self.results.done():
            return
        self._end(SiblingError(f"another response of this group failed: {error!r}"))
        if self._task:
            self._task.cancel()

    def _judge_if_complete(self) -> None:
        if self._closed and len(self._answers) == self._seats and not self.results.done():
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._over)

    async def _run(self) -> Sequence[R]:
        return await self._judge([self._answers[place] for place in range(self._seats)])

    def _over(self, task: asyncio.Task[Sequence[R]]) -> None:
        """Whatever ends the judging, and be it a cancellation, ends the wait of every sibling."""
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if self.results.done():
            return
        if error is None:
            self.results.set_result(task.result())
        elif isinstance(error, Exception):
            self._end(error)
        else:
            self._end(SiblingError(f"the judging of this group was ended by {error!r}"))

    def _end(self, error: Exception) -> None:
        self.results.set_exception(error)
        self.results.exception()  # nobody may be waiting yet
