"""Who hears of verdicts: the record and the observers, from any thread, whatever the loop does."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grm_plugin.errors import RecordError
from grm_plugin.plugins import Plugins
from grm_plugin.running.observing import Observers
from grm_plugin.running.recorder import Durability, Recorder
from grm_plugin.types import Verdict

logger = logging.getLogger(__name__)

_WRITING_S = 10.0
"""Most seconds that one verdict waits for another one to be written."""


class Telling:
    """Tells of verdicts; outlives a session whose event loop is blocked.

    Args:
        record: the file of verdicts, if there is one; opened with the first session.
        durability: of its lines.
        plugins: for those that observe verdicts.
    """

    def __init__(self, record: Path | None, durability: Durability, plugins: Plugins) -> None:
        self._path, self._durability = record, durability
        self._recorder: Recorder | None = None
        self._waiting: deque[Verdict] = deque()
        self._observers = Observers(plugins.observers())
        self._writing = threading.Lock()
        self.pid = os.getpid()

    def open(self) -> None:
        """Open the record, where there is one and it is not open.

        Raises:
            RecordError: it can not be opened, or another process is writing it.
        """
        with self._alone():
            if self._path and self._recorder is None:
                self._recorder = Recorder(self._path, self._durability)

    def tell(self, verdict: Verdict) -> None:
        """Record a verdict, and tell the observers, for whom nobody waits.

        Raises:
            RecordError: it can not be written; it waits until it can be.
        """
        try:
            if self._path:
                self._waiting.append(verdict)
                self.check()
        finally:
            self._observers.tell(verdict)

    def check(self) -> None:
        """Refuse to go on while verdicts wait that can not be recorded, say for a full disk.

        Raises:
            RecordError: the first of them still can not be written.
        """
        if not self._waiting:
            return
        with self._alone():
            while self._recorder and self._waiting:
                self._write(self._recorder, self._waiting[0])

    def _write(self, recorder: Recorder, verdict: Verdict) -> None:
        try:
            recorder.write(verdict)
        except RecordError as error:
            if not isinstance(error.__cause__, OSError):  # it is the verdict, and not the disk
                self._waiting.popleft()
            raise
        self._waiting.popleft()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._writing.acquire(timeout=_WRITING_S):  # a disk that hangs must not hang us
            raise RecordError(
                f"record {self._path} can not be written: an earlier verdict is being written "
                f"for {_WRITING_S:g} s"
            )
        try:
            yield
        finally:
            self._writing.release()

    def close(self, limit_s: float) -> None:
        """Close the record, and wait for the observers; may be called twice."""
        try:
            self.check()
        except RecordError as error:
            logger.error("verdicts that are not on record: %d; %s", len(self._waiting), error)
        with self._alone():
            recorder, self._recorder = self._recorder, None
            if recorder:
                recorder.close()
        self._observers.close(limit_s)
