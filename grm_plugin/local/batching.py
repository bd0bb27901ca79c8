"""Work for a local model: whatever is pending is cut into batches and run in one thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from grm_plugin.errors import EngineError
from grm_plugin.local.packing import packed

logger = logging.getLogger(__name__)

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

# The groups of a training step arrive within milliseconds of each other: wait until it is quiet,
# but not for ever under a steady stream.
_QUIET_S = 0.01
_MOST_WAITS = 5


@dataclass(eq=False, slots=True)
class Job(Generic[ItemT, ResultT]):
    """One row of a batch: ``item`` takes up to ``width`` tokens; ``future`` gets its result."""

    item: ItemT
    width: int
    future: asyncio.Future[ResultT | EngineError]

    @property
    def dropped(self) -> bool:
        """Whether nobody waits for it any more; safe to ask from the working thread."""
        return self.future.done()


Jobs = Sequence[Job[ItemT, ResultT]]
Run = Callable[[Jobs[ItemT, ResultT]], Sequence[ResultT | EngineError]]


class BatchWorker(Generic[ItemT, ResultT]):
    """Runs batches one after another in a thread of its own; the event loop is never blocked.

    Make it on the loop it will serve.

    Args:
        run: computes one batch, in the thread; it may skip rows that are dropped.
        budget: tokens per batch, padding counted.
        cost: tokens of padding that are worth one more batch, see
            :func:`grm_plugin.local.packing.packed`.
        owner: how messages call it, say ``engine 'transformers'``.
    """

    def __init__(self, run: Run[ItemT, ResultT], *, budget: int, owner: str, cost: int = 0) -> None:
        self._run, self._budget, self._cost, self._owner = run, budget, cost, owner
        self._pending: list[Job[ItemT, ResultT]] = []
        self._round: list[Job[ItemT, ResultT]] = []
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="grm-batches")
        self._work = asyncio.create_task(self._rounds())
        self._closed = False

    async def results(self, rows: Iterable[tuple[ItemT, int]]) -> list[ResultT | EngineError]:
        """Results of ``(item, width)`` rows, in order; cancelling drops those still open.

        Raises:
            EngineError: the worker is closed.
        """
        if self._closed:
            raise EngineError(f"{self._owner} is closed")
        loop = asyncio.get_running_loop()
        jobs = [Job(item, width, loop.create_future()) for item, width in rows]
        self._pending += jobs
        self._arrived.set()
        return list(await asyncio.gather(*(job.future for job in jobs)))

    async def close(self) -> None:
        """Fail what is open and end the thread; may be called twice."""
        self._closed = True
        self._work.cancel()
        self._settle_all(EngineError(f"{self._owner} was closed before this was done"))
        # the thread ends at the next token: all rows of its batch are dropped now
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)
        await asyncio.gather(self._work, return_exceptions=True)

    def _settle_all(self, error: EngineError) -> None:
        for job in (*self._round, *self._pending):
            if not job.dropped:
                job.future.set_result(error)
        self._pending = []

    async def _rounds(self) -> None:
        """Each round takes everything pending, so that no row waits behind ever newer ones."""
        while True:
            await self._arrived.wait()
            await self._quiet()
            self._arrived.clear()
            self._round, self._pending = self._pending, []
            for batch in await self._packed(self._round):
                await self._run_batch([job for job in batch if not job.dropped])
            self._round = []

    async def _packed(self, jobs: list[Job[ItemT, ResultT]]) -> list[list[Job[ItemT, ResultT]]]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, packed, jobs, self._budget, self._cost)

    async def _quiet(self) -> None:
        for _ in range(_MOST_WAITS):
            seen = len(self._pending)
            await asyncio.sleep(_QUIET_S)
            if len(self._pending) == seen:
                return

    async def _run_batch(self, jobs: list[Job[ItemT, ResultT]]) -> None:
        if not jobs:
            return
        loop = asyncio.get_running_loop()
        results: Sequence[ResultT | EngineError]
        try:
            results = await loop.run_in_executor(self._thread, self._run, jobs)
        except EngineError as error:
            results = [error] * len(jobs)
        except Exception as error:  # whatever a batch meets, its rows fail and the worker lives on
            logger.exception("%s: a batch of %d rows failed", self._owner, len(jobs))
            results = [EngineError(f"{self._owner}: a batch failed: {error!r}")] * len(jobs)
        if len(results) != len(jobs):
            told = f"expected {len(jobs)} results of a batch, one a row, got {len(results)}"
            results = [EngineError(f"{self._owner}: {told}; none of them is used")] * len(jobs)
        for job, result in zip(jobs, results, strict=True):
            if not job.dropped:
                job.future.set_result(result)
