"""The page of a run: who writes it, and when."""

from __future__ import annotations

import os
from pathlib import Path

from grm_plugin.report.run_page import check_page, write_run
from grm_plugin.running.at_exit import close_at_exit, forget
from grm_trl.ranks import here
from grm_trl.settings import record_on


class RunPage:
    """Writes the page when the reward is closed, or else at the end of the interpreter.

    Args:
        page: where; None: there is none.
        record: the judge's, as all ranks have it in their settings.

    Raises:
        ConfigError: it could not be written.
    """

    def __init__(self, page: Path | None, record: Path | None) -> None:
        check_page("adapter 'trl'", page, record)
        self._page, self._record = page, record
        self._files: list[Path] = []
        self._begun_in: int | None = None  # a process; one that it forks writes nothing

    def begin(self) -> None:
        """The judge is about to judge; rank 0 writes the page of all ranks.

        What is registered first is closed last, so the record is whole by then.
        """
        rank, world = here()
        if self._page and self._record and self._begun_in is None and rank == 0:
            self._begun_in = os.getpid()
            ranks = [record_on(self._record, one) for one in range(world)]
            self._files = ranks if world > 1 else [self._record]
            close_at_exit(self.write)

    def write(self) -> None:
        """Write it, if anything was judged since it was written."""
        if self._begun_in == os.getpid() and self._page and self._record:
            self._begun_in = None
            forget(self.write)
            write_run(self._page, self._record, self._files)
