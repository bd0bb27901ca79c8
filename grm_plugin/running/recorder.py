"""Writes records: each line whole and out of our hands before the next, one process a file."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Literal

from grm_plugin.errors import RecordError
from grm_plugin.records import MAX_LINE_BYTES, to_line
from grm_plugin.running.line_file import LineFile, sync_folder
from grm_plugin.types import Verdict

Durability = Literal["flush", "fsync"]
"""What a written line survives: the end of its process, or a power cut."""


class Recorder:
    """Appends verdicts to a JSONL file, each line whole and with the system before the next.

    All recorders of one file in one process share it; other processes are refused.

    Args:
        path: the file; made with its folders, appended to when there. A torn last line, left by
            a kill, is cut off first. Where it is moved or deleted meanwhile, what follows goes to
            a new file at the path.
        durability: `flush` gives each line to the operating system, `fsync` waits for the disk.

    Raises:
        RecordError: the file can not be opened or written (disk full), another process is
            writing it, or it holds something else, which is left as it is; the lines before are
            intact and the torn one is removed.
    """

    def __init__(self, path: Path, durability: Durability = "flush") -> None:
        self.path = path
        self._sync = durability == "fsync"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: LineFile | None = LineFile.at(path)
        except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
            raise RecordError(f"record {path} can not be opened: {error}") from error
        if self._sync:
            sync_folder(path)

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
        if self._file is None:
            raise ValueError("it is closed")
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(
                f"expected at most {MAX_LINE_BYTES >> 20} MB, which can be read again, "
                f"got {len(line) >> 20} MB"
            )
        self._file.append(line, sync=self._sync)

    def close(self) -> None:
        """Close the file; may be called twice."""
        file, self._file = self._file, None
        if file:
            file.release()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
