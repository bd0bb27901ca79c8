"""Many groups at once: a batch, of which nothing that is judged is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from grm_plugin.errors import GRMError, RecordError
from grm_plugin.running.breaker import Judged, Outcome
from grm_plugin.running.loop import LoopBlocked
from grm_plugin.session.keeping import Keeper
from grm_plugin.size import Size
from grm_plugin.types import Group


class Batch:
    """Groups that are judged together; what is judged stays, whatever happens to the rest.

    Args:
        keeper: of the session they are judged in.
        groups: all of them.
        size: of each; None: the configured one.
    """

    def __init__(self, keeper: Keeper, groups: Sequence[Group], size: Size | None) -> None:
        self._keeper, self.session = keeper, keeper.session(groups)
        self._groups, self._size = groups, size
        self._outcomes = [Outcome() for _ in groups]
        self._began = time.monotonic()

    def run(self) -> Self:
        """Judge all of them, from any thread, as :meth:`judge` and :meth:`saved` say."""
        with self.saved():
            self._keeper.run(self.session, self.judge())
        return self

    async def run_async(self) -> Self:
        """:meth:`run` for callers with an event loop of their own."""
        with self.saved():
            await self._keeper.run_async(self.session, self.judge())
        return self

    async def judge(self) -> None:
        """Judge all of them, in a time that begins when the judge has started.

        Raises:
            RecordError: a verdict can not be recorded.
            ConfigError, InputError, EngineError, JudgeRefusedError: as :meth:`Session.judge`.
        """
        for group in self._groups:
            self.session.check_asked(group, self._size)
        if self._groups:
            await self.session.start()
        deadline = self.session.deadline()
        work = [self._one(n, group, deadline) for n, group in enumerate(self._groups)]
        tasks = [asyncio.create_task(one) for one in work]
        try:
            await asyncio.gather(*tasks)
        except RecordError:  # what is begun is paid for, and goes to the caller
            await asyncio.wait(tasks)
            raise
        finally:
            for task in tasks:  # an error ends the batch: spend no more tokens on it
                task.cancel()

    async def _one(self, n: int, group: Group, deadline: float) -> None:
        await self.session.judge(group, self._size, deadline, self._outcomes[n])

    @contextmanager
    def saved(self) -> Iterator[None]:
        """What is judged stays: with the error that ends the batch, or beside unscored groups.

        A blocked loop leaves the groups unscored that were not judged by then.
        """
        try:
            yield
        except LoopBlocked as error:
            lost_s = time.monotonic() - self._began
            for outcome, group in zip(self._outcomes, self._groups, strict=True):
                verdict = self.session.unscored(group, str(error), self._size, lost_s)
                self.session.say(outcome, verdict)
        except GRMError as error:
            known = [one.known for one in self._outcomes]
            error.verdicts = tuple(one.verdict for one in known if one)
            raise

    @property
    def judged(self) -> list[Judged]:
        """What became of the groups, in their order."""
        return [outcome.judged for outcome in self._outcomes]
