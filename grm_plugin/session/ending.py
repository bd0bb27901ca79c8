"""What ends or changes a run by its verdicts: a judge that is dead, and an alarm of ``watch``."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from grm_plugin.config import GRMConfig
from grm_plugin.errors import RecordError
from grm_plugin.records import read_verdicts
from grm_plugin.running.breaker import Breaker, Judged
from grm_plugin.size import Size
from grm_plugin.types import Group, Verdict
from grm_plugin.types.training import EVAL, TRAIN, when_of
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
        self._record, self._usual = config.record, config.size
        self._begun = False

    def size(self, groups: Sequence[Group], size: Size | None) -> Size | None:
        """The size of a batch for which ``size`` was asked; an evaluation gets what was asked.

        Raises:
            AlarmError: as :meth:`grm_plugin.watching.watch.Watch.check`.
        """
        if self.watch is None or (groups and _phase(groups[0]) == EVAL):
            return size
        self.watch.check()
        self._begin(groups)
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

    def _begin(self, groups: Sequence[Group]) -> None:
        steps = [when[1] for group in groups if (when := when_of(group))]
        if self._begun or not (self.watch and steps):
            return
        self._begun = True
        if (step := min(steps)) > 0:
            self._go_on(self.watch, step)

    def _go_on(self, watch: Watch, step: int) -> None:
        try:
            watch.rebuild(_before(self._record, step) if self._record else ())
        except RecordError as error:
            logger.warning("watch: what was before step %d can not be read: %s", step, error)
        if watch.start is None:
            logger.warning(
                "watch: the run goes on at step %d without a record that tells how it started; "
                "what is usual is taken from the next %d rounds", *(step, watch.options.start)
            )  # fmt: skip


def _phase(group: Group) -> str:
    return (when_of(group) or ("", 0))[0]


def _before(record: Path, step: int) -> Iterator[Verdict]:
    """The training verdicts of a record of steps before ``step``; none where it is not there."""
    if not record.is_file():
        return
    for verdict in read_verdicts(record):
        phase, judged_at = when_of(verdict.group) or ("", step)
        if phase == TRAIN and judged_at < step:
            yield verdict
