"""Keeps the session of a judge: one at a time, and another one when it is lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from grm_plugin.config import GRMConfig
from grm_plugin.engine import replays
from grm_plugin.pipeline.audits import Audits
from grm_plugin.pipeline.building import make_scorer
from grm_plugin.pipeline.control_judge import make_control
from grm_plugin.plugins import Plugins
from grm_plugin.running.at_exit import close_at_exit, forget
from grm_plugin.running.loop import LoopBlocked
from grm_plugin.session.life import CLOSE_S, Session
from grm_plugin.session.resumed import Resumed, step_of
from grm_plugin.session.telling import Telling
from grm_plugin.types import Group

T = TypeVar("T")


class Keeper:
    """Makes the parts of a judge, and the session in which they live.

    Args:
        config: which parts.
        plugins: who offers them.

    Raises:
        ConfigError, PluginError, TemplateError: as :func:`make_scorer`.
    """

    def __init__(self, config: GRMConfig, plugins: Plugins) -> None:
        self.scorer = make_scorer(config, plugins)
        self.budget = self.scorer.budget
        self._given = config
        self._control = make_control(config, plugins, self.scorer)
        self._plugins = plugins
        self._session: Session | None = None
        self._telling: Telling | None = None
        self._lock = threading.Lock()
        self._resumed = Resumed(config.record, "scalar: audits")

    def session(self, groups: Sequence[Group] = ()) -> Session:
        """The session of this process, from any thread; a new one where there is none.

        Args:
            groups: that are about to be judged; they say at which step a run goes on.
        """
        if self._telling and self._telling.pid != os.getpid():
            # forked: threads, connections and the record's lock stayed with the parent
            self._session, self._telling, self._lock = None, None, threading.Lock()
            self.budget = self.budget.again()
            self._make_parts()
        with self._lock:
            if self._telling is None:
                config = self.scorer.config
                self._telling = Telling(config.record, config.durability, self._plugins)
            if self._session is None:
                self._session = Session(self.scorer, self._telling, self._control)
                close_at_exit(self.close)
            self._begin(step_of(groups))
            return self._session

    @property
    def audits(self) -> Audits | None:
        """What the audits of a cascade come to; None without one, and in a replay."""
        scalar = self.scorer.scalar
        if scalar is None or scalar.options.use != "cascade" or replays(self.scorer.engine):
            return None
        return scalar.audits

    def rebuild_from(self, records: Iterable[Path], step: int | None = None) -> None:
        """Name the records of all processes of a run whose audits count as one.

        Args:
            records: what a run that goes on is rebuilt from, instead of the own record.
            step: at which it goes on; None: the first batch says it.
        """
        self._resumed.name(records)
        self._begin(step)

    def _begin(self, step: int | None) -> None:
        if audits := self.audits:
            self._resumed.begin(step, audits.recall)

    def _make_parts(self) -> None:
        self.budget.forget()
        earlier = self.scorer.scalar
        self.scorer = make_scorer(self.scorer.config, self._plugins, self.budget)
        if self.scorer.scalar and earlier:
            self.scorer.scalar.audits = earlier.audits
        self._control = make_control(self._given, self._plugins, self.scorer)

    def run(self, session: Session, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` of ``session`` comes to; one that a part blocks is left, and then lost."""
        with self.watched(session):
            return session.thread.run(work)

    async def run_async(self, session: Session, work: Coroutine[Any, Any, T]) -> T:
        """:meth:`run` for callers with an event loop of their own."""
        with self.watched(session):
            return await session.thread.run_async(work)

    @contextmanager
    def watched(self, session: Session) -> Iterator[None]:
        """Where a part blocks the session, leave it; the next call starts another."""
        try:
            yield
        except LoopBlocked:
            with self._lock:
                session.give_up()
                if self._session is session:
                    self._session = None
                    self._make_parts()
            raise

    def close(self) -> None:
        """End the session; may be called twice.

        Raises:
            PluginError: a part failed to close, or did not return; everything else is closed.
        """
        forget(self.close)
        session, self._session = self._session, None
        telling, self._telling = self._telling, None
        if telling is None or telling.pid != os.getpid():
            return
        try:
            if session:
                session.close()
        finally:
            telling.close(min(CLOSE_S, self.scorer.config.group_timeout_s))
