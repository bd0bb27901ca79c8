"""``grm score --restart``: every group is judged again, and nothing is dropped before it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from grm_plugin.cli.earlier import Again, Earlier
from grm_plugin.cli.merging import drop_standing, is_paid, merge, replace
from grm_plugin.cli.output import Continued, Output, continued, is_any, is_unscored, loss
from grm_plugin.cli.written import (
    RESTART,
    RETRY,
    close_beside,
    file_beside,
    holds,
    locked,
    verdicts,
)
from grm_plugin.config import GRMConfig
from grm_plugin.errors import RecordError
from grm_plugin.running.recorder import Durability
from grm_plugin.types import Group, Verdict


class Replacement(Continued):
    """A file that is replaced once every group has its new verdict; until then it is as it was.

    The new verdicts wait in a file beside, which the same command goes on with as with any other.

    Args:
        path: the file.
        lost: whether a verdict is no answer.
        durability: as in :class:`Recorder`.

    Raises:
        RecordError: a file can not be opened, or another process is writing it.
    """

    def __init__(self, path: Path, lost: Again, durability: Durability) -> None:
        self._replaced, self._old_file = path, locked(path, durability)
        super().__init__(file_beside(path, RESTART), RETRY, lost, lost, durability)
        if not holds(self._path):
            shutil.copymode(path, self._path)
        self.advice = f"remove {self._path} to begin anew"

    @property
    def places(self) -> str:
        if holds(self._path):
            return str(self._replaced.with_name(self._path.name))
        return f"{self._replaced}, which is as it was"

    def drops(self, groups: Iterable[Group]) -> list[str]:
        old = Earlier(_is_none, _is_none)
        try:
            for verdict in verdicts(self._replaced):
                old.take(verdict)
        except RecordError:  # of another version: nothing can be done with it any more
            return []
        return old.strangers(groups)

    def write(self, verdict: Verdict) -> None:
        if self._lost(verdict) and not is_paid(verdict.cost):
            self.miss(verdict)  # nothing of it is worth a file that stays
        else:
            super().write(verdict)

    def finish(self) -> bool:
        super().finish()
        if self.missing:
            return False
        replace(self._replaced.resolve(), self._path)
        return True

    def close(self) -> None:
        super().close()
        close_beside(self._file, self._path)
        self._old_file.close()


def restarted(path: Path, config: GRMConfig, *, whole: bool) -> Output:
    """``path``, where every group that is asked for is judged again.

    Args:
        path: the file.
        config: how.
        whole: whether it is replaced as a whole; else the groups that nobody asks for keep their
            verdicts.
    """
    is_lost, waiting = loss(config), file_beside(path, RESTART)
    if not any(map(holds, (path, waiting, file_beside(path, RETRY)))):
        return continued(path, config, unscored=False)
    _take_in(path, waiting, is_lost, config.durability)
    if whole:
        return Replacement(path, is_lost, config.durability)
    return Continued(path, RESTART, is_any, is_lost, config.durability)


def _take_in(path: Path, waiting: Path, is_lost: Again, durability: Durability) -> None:
    """Put in its place what retries got that were killed, here and in a restart."""
    with locked(path, durability):
        for record in (path.resolve(), waiting):
            renewed = file_beside(record, RETRY)
            if not record.exists():
                renewed.unlink(missing_ok=True)  # of a restart that is to begin anew
            elif holds(renewed):
                drop_standing(record, renewed, is_unscored)
                merge(record, renewed, is_unscored, is_lost)


def _is_none(verdict: Verdict) -> bool:
    return False
