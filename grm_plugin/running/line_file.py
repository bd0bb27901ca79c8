"""A file to which one process at a time appends whole lines, whatever happens to its name.

Two processes that append to one file would cut each other's open lines, so each file is locked.
Within a process everybody who opens a file gets the same one: a notebook's cell that runs twice
does not wait for itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
from io import FileIO
from pathlib import Path
from typing import BinaryIO, ClassVar

from grm_plugin.records import is_record
from grm_plugin.running.file_lock import lock, unlock

logger = logging.getLogger(__name__)

_BLOCK_BYTES = 1 << 16

Identity = tuple[int, int]


class LineFile:
    """An open file of lines; made by :meth:`at`, and shared by all who ask for it there.

    Pipes and devices are written as they are: they have no lock, no end and no torn line.
    """

    _open: ClassVar[dict[Identity, LineFile]] = {}
    _opening: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self._file = file
        self._users, self._pid = 1, os.getpid()
        self._writing = threading.Lock()

    @classmethod
    def at(cls, path: Path) -> LineFile:
        """The file at ``path``, made if it is not there; a torn last line is cut off.

        Raises:
            OSError: it can not be opened, another process writes it, or it is no record.
        """
        path = path.absolute()
        while True:
            file = path.open("ab", buffering=0)
            cls._send_on(file, path)
            with cls._opening:
                if shared := cls._here(path, file):
                    file.close()
                    shared._users += 1
                    break
                if _reserved(file, path):
                    return cls._open.setdefault(_identity(file), cls(path, file))
        with shared._writing:
            shared._follow()
        return shared

    @classmethod
    def _send_on(cls, file: FileIO, path: Path) -> None:
        """Whoever has ``file`` open by a name that it has lost goes on in the one that has it."""
        with cls._opening:
            owner = cls._open.get(_identity(file))
            if owner is None or owner.path == path:
                return
            owner._users += 1
        try:
            with owner._writing:
                owner._follow()
        finally:
            owner.release()

    @classmethod
    def _here(cls, path: Path, file: FileIO) -> LineFile | None:
        """The one of this process, also where the file it has open has lost its name."""
        named = (one for one in cls._open.values() if one.path == path)
        return cls._open.get(_identity(file)) or next(named, None)

    def append(self, line: bytes, *, sync: bool = False) -> None:
        """Write ``line`` whole, or nothing of it.

        Args:
            line: with its newline.
            sync: return only when it is on the disk.

        Raises:
            OSError: it can not be written; another file is at the path and can not be opened.
        """
        with self._writing:
            self._follow()
            if _is_regular(self._file):
                _append(self._file, line, sync=sync)
            else:
                _write_all(self._file, line)

    def _follow(self) -> None:
        """Where the file was moved, replaced or deleted, go on in the one that has its name."""
        if not _is_regular(self._file) or _is_at(self._file, self.path):
            return
        logger.warning("%s was moved or replaced; new lines go to the file there", self.path)
        with LineFile._opening:
            file = self.path.open("ab", buffering=0)
            while not _reserved(file, self.path):
                file = self.path.open("ab", buffering=0)
            self._leave()
            self._file = file
            LineFile._open[_identity(file)] = self

    def release(self) -> None:
        """Close the file when nobody else in this process uses it."""
        with LineFile._opening:
            self._users -= 1
            if not self._users:
                self._leave()

    def _leave(self) -> None:
        if self._file.closed:
            return
        LineFile._open.pop(_identity(self._file), None)
        if self._pid == os.getpid():  # a forked child has no lock of its own to give back
            unlock(self._file)
        self._file.close()


def _after_fork() -> None:
    """Files and locks stay with the parent."""
    LineFile._open, LineFile._opening = {}, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _identity(file: FileIO) -> Identity:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino


def _is_regular(file: FileIO) -> bool:
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def _is_at(file: FileIO, path: Path) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == _identity(file)


def _reserved(file: FileIO, path: Path) -> bool:
    """Whether ``file`` is locked and ready; False where it was replaced before it was."""
    if not _is_regular(file):
        return True
    try:
        lock(file)
        if _is_at(file, path):
            if not is_record(path):
                raise OSError("it holds something else than verdicts; choose another file")
            cut_torn_line(path)
            return True
    except OSError:
        file.close()
        raise
    file.close()
    return False


def _append(file: FileIO, line: bytes, *, sync: bool) -> None:
    start = file.seek(0, os.SEEK_END)
    try:
        written = file.write(line)
        if written != len(line):
            raise OSError(f"{written} of {len(line)} bytes written; is the disk full?")
        if sync:
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            file.truncate(start)
        raise


def _write_all(file: FileIO, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[file.write(rest) :]


def cut_torn_line(path: Path) -> None:
    """Remove what stands after the last newline of ``path``."""
    if not path.stat().st_size:
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


def sync_folder(path: Path) -> None:
    """Return only when the names in the folder of ``path`` are on the disk."""
    with contextlib.suppress(OSError):  # not every system can
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
