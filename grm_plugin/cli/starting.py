"""Starts a judge, and shows for what it waits meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grm_plugin.grm import GRM
from grm_plugin.remote import starting
from grm_plugin.report.terminal import err, printable, say


def start(grm: GRM) -> None:
    """Start the judge, with a status line in a terminal and a line now and then elsewhere.

    Raises:
        EngineError: as :meth:`GRM.start`.
    """
    what = f"starting the judge ({grm.config.engine.name})"
    with err.status(what) as status:

        def show(line: str) -> None:
            if err.is_terminal:
                status.update(f"{what}: {printable(line)}")
            else:
                say(line)

        with _heard(show):
            grm.start()


@contextmanager
def _heard(show: Callable[[str], None]) -> Iterator[None]:
    """What is said about waiting goes to ``show``, and is not logged besides."""
    ear = _Ear(show)
    starting.logger.addHandler(ear)
    before, starting.logger.propagate = starting.logger.propagate, False
    try:
        yield
    finally:
        starting.logger.propagate = before
        starting.logger.removeHandler(ear)


class _Ear(logging.Handler):
    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        self._show(record.getMessage())
