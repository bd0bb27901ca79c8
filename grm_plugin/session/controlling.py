"""The control judge beside the judge: whatever becomes of it, no reward waits for it in vain."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

from grm_plugin.config import GRMConfig
from grm_plugin.engine import replays
from grm_plugin.errors import EngineError, GRMError
from grm_plugin.pipeline.past import past_of
from grm_plugin.pipeline.scorer import Scorer
from grm_plugin.running import guarded
from grm_plugin.session import parts
from grm_plugin.types import Control, Cost, Group, Verdict
from grm_plugin.watching.compared import is_chosen
from grm_plugin.watching.options import CONTROL
from grm_plugin.watching.start import ROUNDS

logger = logging.getLogger(__name__)


class Controller:
    """Judges a share of the groups a second time, by a judge of its own.

    It fails as data: a control that gives nothing says why, and the verdict stands. After
    ``dead_groups`` of them in a row it is asked only once in ``dead_after_s``. Where verdicts are
    replayed, so is what the control judge said.

    Args:
        judge: the judge, with which it may share parts.
        scorer: the control judge; None: there is none.
    """

    def __init__(self, judge: Scorer, scorer: Scorer | None) -> None:
        self._judge, self._scorer = judge, scorer
        watch = judge.config.watch
        self._share = watch.control.share if scorer and watch and watch.control else 0.0
        self._rounds = watch.start if watch else 0
        self._up: set[str] = set()
        self._failed, self._asked = 0, 0.0

    def parts(self) -> Iterator[parts.Named]:
        """What is its own of the parts that have to be started and closed."""
        shared = {id(part) for _, part in self._judge.parts()}
        for name, part in self._scorer.parts() if self._scorer else ():
            if id(part) not in shared:
                yield f"control {name}", part

    async def start(self) -> None:
        """Start what is its own. What can not be started is told, and costs no reward.

        Raises:
            ConfigError: it has started, and the budget of the run could not be kept with it.
        """
        try:
            for name, part in self.parts():
                if name not in self._up:
                    await parts.start(name, part, self._judge.config.batch_timeout_s)
                    self._up.add(name)
        except EngineError as error:
            logger.error("there is no control, so that no alarm can come of it: %s", error)
            return
        if self._scorer:
            self._scorer.check_budget(started=True, section=f"{CONTROL}.")

    def closed(self) -> None:
        """Its parts are closed, and have to be started again."""
        self._up.clear()

    @contextmanager
    def asked(self, group: Group, deadline: float) -> Iterator[Awaitable[Control | None]]:
        """What it says of a group, which it judges meanwhile; None of one that is not its own."""
        said: asyncio.Future[Control | None]
        if self._scorer and self._judges(group):
            said = asyncio.ensure_future(self._control(self._scorer, group, deadline))
        else:
            said = asyncio.get_running_loop().create_future()
            said.set_result(self._past(group))
        try:
            yield said
        finally:
            said.cancel()

    def _judges(self, group: Group) -> bool:
        if replays(self._judge.engine):
            return False
        return is_chosen(group.fingerprint, self._judge.config.seed, self._share)

    def _past(self, group: Group) -> Control | None:
        past = past_of(self._judge.engine, group)
        return past.control if past else None

    async def _control(self, scorer: Scorer, group: Group, deadline: float) -> Control:
        """By ``deadline``, and within its own ``group_timeout_s``."""
        if why := self._rests(scorer.config):
            return Control(None, why)
        started = self._asked = time.monotonic()
        until = min(deadline, started + scorer.config.group_timeout_s)
        try:
            late = until + guarded.GRACE_S
            judging = guarded.call("control", self._score, scorer, group, until, deadline=late)
            found = _of(await judging, self._rounds)
        except GRMError as error:
            found = Control(None, str(error), Cost(seconds=time.monotonic() - started))
        self._count(found, scorer.config)
        return found

    async def _score(self, scorer: Scorer, group: Group, deadline: float) -> Verdict:
        if any(name not in self._up for name, _ in self.parts()):
            raise EngineError("it has not started")
        with scorer.budget.beside() as allowance:
            return await scorer.judge(group, None, deadline=deadline, allowance=allowance)

    def _rests(self, config: GRMConfig) -> str:
        left_s = self._asked + config.dead_after_s - time.monotonic()
        if self._failed < config.dead_groups or left_s <= 0:
            return ""
        return f"it gave nothing {self._failed} times in a row and is asked again in {left_s:.0f} s"

    def _count(self, found: Control, config: GRMConfig) -> None:
        if found.rewards is not None:
            self._failed = 0
            return
        self._failed += 1
        if self._failed in (1, config.dead_groups):
            logger.warning(
                "the control judge gave nothing, which costs no reward (%d in a row): %s",
                *(self._failed, found.unscored),
            )


def _of(verdict: Verdict, rounds: int) -> Control:
    origin = {**verdict.origin, ROUNDS: rounds}
    return Control(verdict.rewards, verdict.unscored, verdict.cost, origin)
