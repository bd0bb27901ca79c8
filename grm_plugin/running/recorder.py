"""Writes records: each line whole and flushed before the next, and one writer a file."""

from __future__ import annotations

import contextlib
import os
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from grm_plugin.errors import RecordError
from grm_plugin.records import to_line
from grm_plugin.types import Verdict

_BLOCK_BYTES = 1 << 16


class Recorder:
    """Appends verdicts to a JSONL file, each line whole and flushed before the next.

    Args:
        path: the file; made with its folders, appended to when there. A torn last line, left by
            a kill, is cut off first.

    Raises:
        RecordError: the file can not be opened or written (disk full), or another process is
            writing it; the lines before are intact and the torn one is removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            _reserve(self._file)
            cut_torn_line(path)
        except OSError as error:
            raise RecordError(f"record {path} can not be opened: {error}") from error

    def write(self, verdict: Verdict) -> None:
        """Append one line; metadata that is not JSON is written as its ``repr``."""
        try:
            self._append(to_line(verdict))
        except (OSError, TypeError, ValueError) as error:
            raise RecordError(
                f"verdict of group {verdict.group.label} can not be recorded to {self.path}: "
                f"{error}; the lines before it are intact"
            ) from error

    def _append(self, line: bytes) -> None:
        start = self._file.seek(0, os.SEEK_END)
        try:
            written = self._file.write(line)
            if written != len(line):
                raise OSError(f"{written} of {len(line)} bytes written; is the disk full?")
        except OSError:
            with contextlib.suppress(OSError):  # a device can not be cut
                self._file.truncate(start)
            raise

    def close(self) -> None:
        """Close the file; may be called twice."""
        if not self._file.closed:
            _release(self._file)
        self._file.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _reserve(file: FileIO) -> None:
    """Two processes that append to one file would cut each other's open lines."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise OSError(
            "another process is writing it; give each process a file of its own"
        ) from None


def _release(file: FileIO) -> None:
    """A forked child may have the file, too, and closing it here alone would keep it locked."""
    with contextlib.suppress(ImportError, OSError):  # not a POSIX system; a device has no locks
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)


def cut_torn_line(path: Path) -> None:
    """Remove what stands after the last newline of ``path``, if there is such a file."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("rb+") as file:
        end = _end_of_lines(file)
        if end != file.seek(0, os.SEEK_END):
            file.truncate(end)


def _end_of_lines(file: BinaryIO) -> int:
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
