"""The judge from its start to its end: its parts, its event loop, who hears of its verdicts."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import replace

from grm_plugin.engine import replays
from grm_plugin.errors import (
    EngineError,
    InputError,
    JudgeRefusedError,
    PluginError,
    TemplateError,
    quoted,
)
from grm_plugin.pipeline.scorer import Scorer
from grm_plugin.running import guarded
from grm_plugin.running.breaker import Judged, Outcome
from grm_plugin.running.budget import Allowance
from grm_plugin.running.loop import LoopBlocked, LoopThread
from grm_plugin.session import parts
from grm_plugin.session.controlling import Controller
from grm_plugin.session.telling import Telling
from grm_plugin.size import Size
from grm_plugin.types import Cost, Group, Verdict

logger = logging.getLogger(__name__)

CLOSE_S = 30.0
"""Most seconds that one part may take to close."""


class Session:
    """One life of the judge. Its coroutines run on the loop of its ``thread``.

    The one door: every group passes the gate here, is refused, recorded and observed here.

    Args:
        scorer: its parts, which are not started yet.
        telling: who hears of verdicts; outlives the session.
        control: the control judge, not started either; None: there is none.
    """

    def __init__(self, scorer: Scorer, telling: Telling, control: Scorer | None = None) -> None:
        self.scorer, self._config = scorer, scorer.config
        self._control = Controller(scorer, control)
        self.thread = LoopThread("grm-plugin", self._config.group_timeout_s)
        self.pid = os.getpid()
        self._telling = telling
        self._gate = asyncio.Semaphore(self._config.max_concurrent_groups)
        self._starting: asyncio.Task[None] | None = None
        self._up: set[str] = set()
        self._refusals: list[JudgeRefusedError] = []

    async def start(self) -> None:
        """Start what is not started yet.

        Raises:
            EngineError: a part can not be started; names it. The next call tries again.
            ConfigError: there is a budget in money, and the judge's prices are not known.
        """
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        starting = self._starting
        try:
            await asyncio.shield(starting)
        except Exception:
            if self._starting is starting:
                self._starting = None
            raise

    async def _start(self) -> None:
        self._telling.open()
        for name, part in self.scorer.parts():
            if name not in self._up:
                await parts.start(name, part, self._config.batch_timeout_s)
                self._up.add(name)
        self.scorer.check_budget(started=True)
        await self._control.start()

    def deadline(self) -> float:
        """Until when a batch that begins now may take (``time.monotonic()``)."""
        return time.monotonic() + self._config.batch_timeout_s

    async def check(self) -> None:
        """Ask a judge that has been started for a sign of life, where its engine can.

        Raises:
            EngineError: it gives none.
        """
        engine, _ = next(self.scorer.parts())
        check = getattr(self.scorer.engine, "check", None)
        if check and engine in self._up:  # one that takes the place of a blocked one starts later
            await parts.ask(self.scorer, "check", check)

    async def count_tokens(self, group: Group) -> int | None:
        """Prompt tokens of ``group`` with all its responses; None when the engine can not tell."""
        await self.start()
        return await parts.count_tokens(self.scorer, group)

    async def judge(
        self,
        group: Group,
        size: Size | None,
        deadline: float | None,
        outcome: Outcome | None = None,
    ) -> Judged:
        """One group, when its turn comes.

        Args:
            group: what to judge.
            size: how many samples; None is the configured number.
            deadline: ``time.monotonic()``; None counts from the group's turn.
            outcome: told as soon as there is a verdict, before anything else can run.

        Raises:
            ConfigError: the settings do not allow the size.
            InputError: it is no group at all.
            EngineError: the judge can not be started.
            JudgeRefusedError: the judge takes no request like ours.
            BudgetError: the budget might not pay for it; all groups before it are judged.
            RecordError: it can not be recorded, or verdicts before it could not be.
        """
        self.check_asked(group, size)
        outcome, before = outcome or Outcome(), len(self._refusals)
        with self.scorer.budget.allowance() as allowance:  # in the order of the groups
            async with self._gate:
                if len(self._refusals) > before:  # while this group waited
                    raise JudgeRefusedError(*self._refusals[-1].args)
                await self.start()
                self.check_recorded()
                until = deadline or self.deadline()
                await self._settle(outcome, group, size, until, allowance)
        if not replays(self.scorer.engine):  # what was refused then is no news
            self._check_not_refused(outcome.judged)
        return outcome.judged

    def _check_not_refused(self, judged: Judged) -> None:
        try:
            judged.check_not_refused()
        except JudgeRefusedError as error:
            self._refusals.append(error)
            raise

    def check_recorded(self) -> None:
        """Spend no token while verdicts wait that can not be recorded.

        Raises:
            RecordError: there are some.
        """
        self._telling.check()

    def check_asked(self, group: object, size: Size | None) -> None:
        """Refuse what can not be asked, before anything starts.

        Raises:
            ConfigError: the settings do not allow the size.
            InputError: it is no group at all.
        """
        if not isinstance(group, Group):
            raise InputError(
                f"expected a grm_plugin.Group, got {quoted(group)}; Group.of(prompt, responses)"
            )
        if size:
            self.scorer.check_size(size)

    async def _settle(
        self,
        outcome: Outcome,
        group: Group,
        size: Size | None,
        deadline: float,
        allowance: Allowance,
    ) -> None:
        score = self.scorer.judge

        async def judge() -> None:
            with self._control.asked(group, deadline) as control:
                verdict = await score(group, size, deadline=deadline, allowance=allowance)
                self.say(outcome, replace(verdict, control=await control))

        # parts keep the deadline; whatever else does not is given a little longer
        until = deadline + 2 * guarded.GRACE_S
        try:
            await guarded.call("the pipeline", judge, deadline=until)
        except (InputError, TemplateError) as error:
            self.say(outcome, self.unscored(group, f"refused: {error}", size), error)
        except (EngineError, PluginError) as error:
            self.say(outcome, self.unscored(group, str(error), size))

    def _parts(self) -> Iterator[parts.Named]:
        yield from (*self.scorer.parts(), *self._control.parts())

    def unscored(self, group: Group, why: str, size: Size | None, seconds: float = 0.0) -> Verdict:
        """The verdict of a group that was not judged, and how long it took to find that out."""
        origin = self.scorer.origin(size)
        return Verdict(group, None, unscored=why, cost=Cost(seconds=seconds), origin=origin)

    def say(
        self,
        outcome: Outcome,
        verdict: Verdict,
        refusal: InputError | TemplateError | None = None,
    ) -> None:
        """This became of a group: recorded and observed, unless something else did before.

        Raises:
            RecordError: it can not be recorded.
        """
        if outcome.settle(Judged(verdict, time.monotonic(), refusal)):
            self._telling.tell(verdict)

    def close(self) -> None:
        """Stop the judge and free what it took, also where a part does not want to.

        Raises:
            PluginError: a part failed to close; everything else is closed.
        """
        limit_s = min(CLOSE_S, self._config.group_timeout_s)
        try:
            self.thread.run(self._close(limit_s), patience_s=limit_s)
        except LoopBlocked:
            self.give_up()
            raise
        finally:
            self.thread.close()

    async def _close(self, limit_s: float) -> None:
        failed = await parts.close(self._parts(), limit_s)
        self._up.clear()
        self._control.closed()
        self._starting = None
        if failed:
            raise failed[0]

    def give_up(self) -> None:
        """Leave a session to itself whose loop is blocked; it closes should it ever go on.

        What a part runs outside of this process is ended now, by its optional ``abandon()``.
        """
        if not self.thread.give_up(self._close(CLOSE_S)):
            return
        parts.abandon(self._parts())
