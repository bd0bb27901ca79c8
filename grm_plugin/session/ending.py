"""What ends or changes a run by its verdicts: a judge that is dead, and an alarm of ``watch``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from grm_plugin.config import GRMConfig
from grm_plugin.running.breaker import Breaker, Judged
from grm_plugin.session.resumed import Resumed, step_of
from grm_plugin.size import Size
from grm_plugin.types import Group
from grm_plugin.types.training import EVAL, when_of
from grm_plugin.watching.watch import Watch

logger = logging.getLogger(__name__)


class Watched:
    """Counts what one :class:`grm_plugin.GRM` judges, and watches it where its settings say so.

    A run that goes on at a later step is watched from its record as if it had never stopped;
    without one watching starts anew there, and says so.

    Args:
        config: the settings.
    """

    def __init__(self, config: GRMConfig) -> None:
        sizes = config.schedule.every_size().values() if config.schedule else ()
        self.watch = Watch(config.watch, sizes) if config.watch else None
        self._breaker = Breaker(config.dead_groups, config.dead_after_s)
        self._resumed = Resumed(config.record, "watch: what was")
        self._usual = config.size

    def rebuild_from(self, records: Iterable[Path], step: int | None = None) -> None:
        """Name the records of all processes of a run that are watched as one.

        Args:
            records: what a run that goes on is rebuilt from, instead of the own record.
            step: at which it goes on; None: the first batch says it.
        """
        self._resumed.name(records)
        self._begin(step)

    def size(self, groups: Sequence[Group], size: Size | None) -> Size | None:
        """The size of a batch for which ``size`` was asked; an evaluation gets what was asked.

        Raises:
            AlarmError: as :meth:`grm_plugin.watching.watch.Watch.check`.
        """
        if self.watch is None or (groups and _phase(groups[0]) == EVAL):
            return size
        self.watch.check()
        self._begin(step_of(groups))
        return self.watch.raised(size or self._usual) if self.watch.raises else size

    def count(self, *judged: Judged) -> None:
        """Count verdicts.

        Raises:
            JudgeDeadError: as :meth:`grm_plugin.running.breaker.Breaker.count`.
            AlarmError: as :meth:`grm_plugin.watching.watch.Watch.add`.
        """
        self._breaker.count(*judged)
        if self.watch:
            self.watch.add(one.verdict for one in judged)

    def _begin(self, step: int | None) -> None:
        watch = self.watch
        if watch and self._resumed.begin(step, watch.rebuild) and watch.start is None:
            logger.warning(
                "watch: the run goes on at step %d without a record that tells how it started; "
                "what is usual is taken from the next %d rounds", *(step, watch.options.start)
            )  # fmt: skip


def _phase(group: Group) -> str:
    return (when_of(group) or ("", 0))[0]
