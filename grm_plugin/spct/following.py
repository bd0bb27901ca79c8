"""New verdicts of records that others are writing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from grm_plugin.errors import InputError, RecordError
from grm_plugin.hosts.recorded import records_of
from grm_plugin.records import from_line, read_lines
from grm_plugin.types import Verdict


class Read(NamedTuple):
    """How far a record was read: whole lines, and their bytes."""

    lines: int = 0
    bytes: int = 0


class Following:
    """Reads on where it was, whenever it is asked; a line that is not whole yet waits.

    A run that goes back to its last checkpoint appends to its record: what was learned of the steps
    that it does again stays learned. A record that became shorter or began anew, as somebody else
    may make it, is read on from the first line that is another.

    Args:
        record: one file, a folder, or the start of their names, as a run with several processes
            writes them; none need be there yet.
    """

    def __init__(self, record: Path) -> None:
        self._record = record
        self.read: dict[str, Read] = {}
        self._known: dict[str, list[tuple[int, int]]] = {}

    def new(self, until: Mapping[str, Read] | None = None) -> Iterator[tuple[str, Verdict]]:
        """Where each new verdict stands, and the verdict.

        Args:
            until: how far to read each file, by its name; None: to its end.

        Raises:
            RecordError: a line is no verdict; names the file and the line.
        """
        for path in self._files():
            if until is None or path.name in until:
                yield from self._new_in(path, until[path.name].bytes if until else None)

    def _files(self) -> list[Path]:
        try:
            return records_of(self._record)
        except InputError:  # its writer has not begun
            return []

    def _new_in(self, path: Path, until: int | None) -> Iterator[tuple[str, Verdict]]:
        known = self._known.setdefault(path.name, [])
        read = self._still_there(path, known)
        for line in read_lines(path, read.bytes):
            if until is not None and read.bytes >= until:
                break
            read = self.read[path.name] = Read(read.lines + 1, read.bytes + len(line))
            known.append(_mark(line))
            place = f"{path}, line {read.lines}"
            try:
                verdict = from_line(line)
            except RecordError as error:
                raise RecordError(f"{place}: {error}") from error
            yield place, verdict

    def _still_there(self, path: Path, known: list[tuple[int, int]]) -> Read:
        """How far the file is as it was read; what is ``known`` of its lines ends there, too."""
        read = self.read.get(path.name, Read())
        if not known or known[-1] == _first(path, read.bytes - known[-1][0]):
            return read
        same = itertools.takewhile(
            lambda pair: _mark(pair[0]) == pair[1], zip(read_lines(path), known, strict=False)
        )
        lengths = [len(line) for line, _ in same]
        del known[len(lengths) :]
        read = self.read[path.name] = Read(len(lengths), sum(lengths))
        return read


def _first(path: Path, start: int) -> tuple[int, int]:
    return _mark(next(read_lines(path, start), b""))


def _mark(line: bytes) -> tuple[int, int]:
    """Its length, and what tells it from others in this process."""
    return len(line), hash(line)
