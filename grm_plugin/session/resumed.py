"""What records tell of a run that goes on, before the step at which it does."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from grm_plugin.errors import RecordError
from grm_plugin.records.standing import standing
from grm_plugin.types import Group, Verdict
from grm_plugin.types.training import when_of

logger = logging.getLogger(__name__)


class Resumed:
    """Lets something learn, once, from what a run that goes on has on record.

    Args:
        record: of this process; None: there is none.
        what: is learned, for messages.
    """

    def __init__(self, record: Path | None, what: str) -> None:
        self._records, self._what = [record] if record else [], what
        self._begun = False

    def name(self, records: Iterable[Path]) -> None:
        """Name the records of all processes of the run, which go before the own one."""
        self._records = list(records)

    def begin(self, step: int | None, learn: Callable[[Iterator[Verdict]], object]) -> bool:
        """Whether the run goes on at a later step, which is known for the first time now.

        Args:
            step: at which the run is; None: nobody says.
            learn: is given the training verdicts of the steps before, if it does.
        """
        if self._begun or step is None:
            return False
        self._begun = True
        if step > 0:
            try:
                learn(_before(self._records, step))
            except RecordError as error:
                told = "%s before step %d can not be read: %s"
                logger.warning(told, self._what, step, error)
        return step > 0


def step_of(groups: Sequence[Group]) -> int | None:
    """The first step of a batch, from 0 on; None where nobody says."""
    return min((when[1] for group in groups if (when := when_of(group))), default=None)


def _before(records: Iterable[Path], step: int) -> Iterator[Verdict]:
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
