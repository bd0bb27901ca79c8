"""The judge as the server uses it: whole groups, some at a time, counted, and watched."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import Protocol

from grm_plugin.errors import EngineError, GRMError, JudgeDeadError, RecordError, on_one_line
from grm_plugin.grm import GRM
from grm_plugin.serving.callers import Caller
from grm_plugin.serving.lifecycle import Lifecycle
from grm_plugin.serving.metrics import Metrics, one_more
from grm_plugin.serving.turns import Turns
from grm_plugin.size import Size
from grm_plugin.types import Group, Verdict

logger = logging.getLogger(__name__)
# Everybody may ask how the server is; the judge must not be asked as often.
_PROBE_EVERY_S = 1.0
# Errors of one group after which no other group will get a verdict.
_FATAL = (JudgeDeadError, RecordError)


class Judge(Protocol):
    """Where groups are judged; :class:`LocalJudge` or a Ray Serve application.

    ``k`` is the samples per group, ``marks`` are more marks of thinking, as pairs of what opens a
    thought and what closes it, and ``groups_at_a_time`` is how many groups it judges together.
    """

    k: int
    marks: tuple[tuple[str, str], ...]
    groups_at_a_time: int

    async def start(self) -> None:
        """Make ready.

        Raises:
            EngineError: the judge can not be started.
        """

    async def score(self, group: Group, size: Size | None) -> Verdict:
        """The verdict of one group, of ``k`` samples or so many as ``size`` says.

        One that can not be judged is unscored, with the reason. Cancelling stops the judging.

        Raises:
            ConfigError: the settings do not allow that size.
            EngineError: the judge is not there.
            JudgeDeadError: the judge is dead.
            RecordError: the verdict can not be recorded.
        """

    async def check(self) -> None:
        """Ask the judge for a sign of life.

        Raises:
            EngineError: it gives none.
        """

    async def close(self) -> None:
        """Free what ``start`` took."""


class LocalJudge:
    """A :class:`Judge` in this process.

    Args:
        grm: the judge; closed with the server.
    """

    def __init__(self, grm: GRM) -> None:
        config = grm.config
        self._grm, self.k, self.marks = grm, config.k, config.thinking.marks
        self.groups_at_a_time = config.max_concurrent_groups

    async def start(self) -> None:
        await self._grm.start_async()

    async def score(self, group: Group, size: Size | None) -> Verdict:
        (verdict,) = await self._grm.score_batch_async([group], size=size)
        return verdict

    async def check(self) -> None:
        await self._grm.check_async()

    async def close(self) -> None:
        await asyncio.to_thread(self._grm.close)


class Probe:
    """Whether the judge gives a sign of life; asked for at most once in ``_PROBE_EVERY_S``.

    Args:
        judge: who is asked.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge, self._asked_at = judge, -math.inf
        self._lock = asyncio.Lock()
        self._trouble = ""

    async def trouble(self) -> str:
        """What is wrong with the judge; empty when it lives."""
        async with self._lock:
            if time.monotonic() - self._asked_at >= _PROBE_EVERY_S:
                self._trouble = await self._ask()
                self._asked_at = time.monotonic()
        return self._trouble

    async def _ask(self) -> str:
        try:
            await self._judge.check()
        except GRMError as error:  # also a part that blocks the judge
            return str(error)
        return ""


class Judging:
    """Judges groups, at most ``groups_at_a_time`` together; callers' groups wait in turns.

    Args:
        judge: where.
        metrics: counts every verdict.
        lifecycle: told when there will be no more verdicts.
    """

    def __init__(self, judge: Judge, metrics: Metrics, lifecycle: Lifecycle) -> None:
        self._judge, self._metrics, self._lifecycle = judge, metrics, lifecycle
        self._turns = Turns(judge.groups_at_a_time)

    async def judge(self, group: Group, caller: Caller, size: Size | None = None) -> Verdict:
        """The verdict of ``group``; one that can not be judged is unscored, with the reason.

        Raises:
            ConfigError: the judge's settings do not allow ``size``.
            JudgeDeadError: the judge is dead, by this verdict or before.
            RecordError: this verdict, or one before, could not be recorded.
        """
        with one_more(self._metrics.queue_depth):
            await self._turns.enter(caller.name)
        try:
            if isinstance(self._lifecycle.error, _FATAL):
                raise self._lifecycle.error
            with one_more(self._metrics.in_flight):
                verdict = await self._score(group, size)
        finally:
            self._turns.leave()
        self.count(verdict, caller)
        return verdict

    def count(self, verdict: Verdict, caller: Caller) -> None:
        """Count a verdict, and say why a group has no reward."""
        self._metrics.count(verdict)
        if not verdict.scored:
            why = on_one_line(verdict.unscored)
            logger.warning("group %s has no reward: %s (%s)", verdict.group.label, why, caller)

    async def _score(self, group: Group, size: Size | None) -> Verdict:
        try:
            return await self._judge.score(group, size)
        except EngineError as error:
            return Verdict(group, None, unscored=f"the judge is not there: {error}")
        except _FATAL as error:
            if self._lifecycle.error is None:
                logger.error("no more calls are served: %s", on_one_line(str(error)))
                self._lifecycle.die(error)
            raise
