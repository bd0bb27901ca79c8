"""Work that the ranks of a distributed run share, without one of them ever waiting in vain.

Whatever goes wrong in a piece of work on one rank, that rank still takes part in the exchange;
then every rank raises the same error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from grm_trl.errors import RankError

T = TypeVar("T")
_FAULTS = (Exception, SystemExit)  # a rank that is interrupted goes at once


class Ranks(Protocol):
    """Those who share the work; ``index`` is the own place among them."""

    index: int

    def share(self, work: Callable[[], T]) -> list[T]:
        """The results of everybody's ``work``, in rank order.

        Raises:
            RankError: it failed somewhere (just the error itself when there is nobody else).
        """

    async def share_async(self, work: Awaitable[T]) -> list[T]:
        """:meth:`share` for work that is awaited; the event loop stays free."""


class Alone:
    """One process, or one that keeps to itself."""

    index = 0

    def share(self, work: Callable[[], T]) -> list[T]:
        """The own result; errors are raised as they are."""
        return [work()]

    async def share_async(self, work: Awaitable[T]) -> list[T]:
        """The own result, awaited."""
        return [await work]


class Together:
    """All ranks of ``torch.distributed``, over a gloo group of their own.

    Text does not go through the GPUs then, and neither the trainer's timeout nor NCCL's watchdog
    sees a rank that waits for a slow judge.

    Args:
        patience_s: seconds the judge may take, on top of torch's own timeout, before a rank that
            does not answer is given up.
    """

    def __init__(self, patience_s: float) -> None:
        import torch.distributed as dist

        timeout = dist.default_pg_timeout + timedelta(seconds=patience_s)
        self._peers: Any = dist.new_group(backend="gloo", timeout=timeout)
        self.index, self._count = dist.get_rank(), dist.get_world_size()

    def share(self, work: Callable[[], T]) -> list[T]:
        """Everybody's results; blocks until the slowest rank has its own."""
        try:
            value = work()
        except _FAULTS as error:  # whatever it is, the others must hear of it
            return self._exchange(None, error)
        return self._exchange(value, None)

    async def share_async(self, work: Awaitable[T]) -> list[T]:
        """Everybody's results; only a thread waits for the slowest rank."""
        try:
            value = await work
        except _FAULTS as error:
            return await asyncio.to_thread(self._exchange, None, error)
        return await asyncio.to_thread(self._exchange, value, None)

    def _exchange(self, value: T | None, error: BaseException | None) -> list[Any]:
        import torch.distributed as dist

        outcomes: list[Any] = [None] * self._count
        failure = f"{type(error).__name__}: {error}" if error else None
        dist.all_gather_object(outcomes, (value, failure), group=self._peers)
        failures = [
            f"rank {rank} of {self._count}: {failure}"
            for rank, (_, failure) in enumerate(outcomes)
            if failure
        ]
        if failures:
            raise RankError("; ".join(failures)) from error
        return [value for value, _ in outcomes]


def here() -> tuple[int, int]:
    """Rank and number of ranks of this process; (0, 1) when it does not run distributed."""
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return 0, 1
    return dist.get_rank(), dist.get_world_size()
