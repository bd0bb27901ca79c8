"""What ends or changes a run by its verdicts: a judge that is dead, and an alarm of ``watch``."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from grm_plugin.config import GRMConfig
from grm_plugin.errors import RecordError
from grm_plugin.records.standing import standing
from grm_plugin.running.breaker import Breaker, Judged
from grm_plugin.size import Size
from grm_plugin.types import Group, Verdict
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
        self._records = [config.record] if config.record else []
        self._usual, self._begun = config.size, False

    def rebuild_from(self, records: Iterable[Path], step: int | None = None) -> None:
        """Name the records of all processes of a run that are watched as one.

        Args:
            records: what a run that goes on is rebuilt from, instead of the own record.
            step: at which it goes on; None: the first batch says it.
        """
        self._records = list(records)
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
        if self._begun or self.watch is None or step is None:
            return
        self._begun = True
        if step > 0:
            self._go_on(self.watch, step)

    def _go_on(self, watch: Watch, step: int) -> None:
        try:
            watch.rebuild(before(self._records, step))
        except RecordError as error:
            logger.warning("watch: what was before step %d can not be read: %s", step, error)
        if watch.start is None:
            logger.warning(
                "watch: the run goes on at step %d without a record that tells how it started; "
                "what is usual is taken from the next %d rounds", *(step, watch.options.start)
            )  # fmt: skip


def step_of(groups: Sequence[Group]) -> int | None:
    """The first step of a batch, from 0 on; None where nobody says."""
    return min((when[1] for group in groups if (when := when_of(group))), default=None)


def _phase(group: Group) -> str:
    return (when_of(group) or ("", 0))[0]


def before(records: Iterable[Path], step: int) -> Iterator[Verdict]:
    """The training verdicts of steps before ``step``, those of all records step by step.

    Those of steps that the run did again are the later ones.
    """
    found = (_of(record, step) for record in records if record.is_file())
    return (verdict for _, verdict in heapq.merge(*found, key=lambda one: one[0]))


def _of(record: Path, step: int) -> Iterator[tuple[int, Verdict]]:
    for verdict in standing(record):
        _, judged_at = when_of(verdict.group) or ("", step)
        if judged_at < step:
            yield judged_at, verdict
