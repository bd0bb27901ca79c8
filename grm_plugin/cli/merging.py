"""Puts new verdicts in the places of old ones in a record, whatever happens meanwhile.

Three files tell how far it is. New verdicts wait beside the record until the judge is done. Then
the record is written anew as ``.merged``; the file beside goes once that is whole, and ``.merged``
takes the record's name. So a ``.merged`` is whole exactly when the file it is named for is gone.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace as with_
from pathlib import Path
from typing import BinaryIO

from grm_plugin.cli.earlier import Key, key
from grm_plugin.errors import RecordError
from grm_plugin.records import from_line, read_lines, to_line
from grm_plugin.running.file_lock import lock
from grm_plugin.running.line_file import sync_folder
from grm_plugin.types import Cost, Verdict

Is = Callable[[Verdict], bool]
Place = tuple[int, int]
"""Where a line is: start and length, in bytes."""


def merge(path: Path, beside: Path, replaced: Is, lost: Is) -> None:
    """Put the verdicts of ``beside`` where ``path`` has older ones of the same groups.

    Those that find none stand at the end. A verdict that was lost again replaces nothing. What is
    paid for stays counted: the cost of a verdict is its own, that of the one it replaces, and that
    of those which were lost between them. The caller has locked ``path``.

    Args:
        path: the record.
        beside: the new verdicts; gone when this returns.
        replaced: which verdicts of the record may be replaced.
        lost: which verdicts of ``beside`` are no answer.

    Raises:
        RecordError: it can not be written; the record is as it was, and the new verdicts wait.
    """
    merged = _merged(beside)
    try:
        with merged.open("wb") as file, beside.open("rb") as fresh:
            fill(file, merged, _lines(path, _Waiting(beside, fresh, lost), replaced), like=path)
            beside.unlink()
            merged.replace(path)
    except OSError as error:
        if beside.exists():
            merged.unlink(missing_ok=True)
        raise RecordError(
            f"{path} can not be written anew: {error}; it is as it was, the new verdicts are in "
            f"{beside}, and the same command goes on there"
        ) from error
    sync_folder(path)


def fill(file: BinaryIO, path: Path, lines: Iterable[bytes], *, like: Path) -> None:
    """Write all of a record that is to take the place of another, so that it is on the disk.

    It is locked before it can have the other's name.

    Args:
        file: new, and open.
        path: of it.
        lines: of the record to be.
        like: whose mode it gets.

    Raises:
        OSError: it can not be written.
    """
    lock(file)
    shutil.copymode(like, path)
    file.writelines(lines)
    file.flush()
    os.fsync(file.fileno())


def rewrite(path: Path, lines: Iterable[bytes], *, why: str = "") -> None:
    """Write all of a record anew; the caller has locked it.

    It is as it was after an error, and after a kill.

    Args:
        path: the record, no link to it.
        lines: of the record to be; may be read from what it is now.
        why: what the message of an error adds.

    Raises:
        RecordError: it can not be written.
    """
    anew = path.with_name(f"{path.name}.anew")
    try:
        with anew.open("wb") as file:
            fill(file, anew, lines, like=path)
            anew.replace(path)
    except OSError as error:
        raise RecordError(f"{path} can not be written anew{why}: {error}") from error
    finally:
        with suppress(OSError):  # it is in its place, or never was
            anew.unlink()
    sync_folder(path)


def finish_merge(path: Path, beside: Path) -> bool:
    """End what a killed run had begun; whether there is another file at ``path`` now."""
    merged = _merged(beside)
    if not merged.exists():
        return False
    try:
        if beside.exists():  # not whole
            merged.unlink()
            return False
        merged.replace(path)
    except OSError as error:
        raise RecordError(f"{path} can not be replaced by {merged}: {error}") from error
    return True


def _merged(beside: Path) -> Path:
    return beside.with_name(f"{beside.name}.merged")


def _lines(path: Path, waiting: _Waiting, replaced: Is) -> Iterator[bytes]:
    for line in read_lines(path):
        verdict = from_line(line)
        yield waiting.instead_of(verdict, line) if replaced(verdict) else line
    yield from waiting.rest()


class _Waiting:
    """The new verdicts: where they are, so that no more than one is in memory.

    Args:
        path: their file.
        file: the same, open.
        lost: which of them are no answer.
    """

    def __init__(self, path: Path, file: BinaryIO, lost: Is) -> None:
        self._file = file
        self._places: defaultdict[Key, deque[Place]] = defaultdict(deque)
        self._lost: defaultdict[Key, Cost] = defaultdict(Cost)
        start = 0
        for line in read_lines(path):
            verdict = from_line(line)
            if lost(verdict):
                self._lost[key(verdict.group)] += verdict.cost
            else:
                self._places[key(verdict.group)].append((start, len(line)))
            start += len(line)

    def instead_of(self, verdict: Verdict, line: bytes) -> bytes:
        """The line that stands where that of ``verdict`` stood."""
        found = key(verdict.group)
        cost = self._lost.pop(found, Cost())
        if not self._places[found]:
            return _with_cost(line, cost)
        return _with_cost(self._at(self._places[found].popleft()), cost + verdict.cost)

    def rest(self) -> Iterator[bytes]:
        """The lines of those that replaced nothing."""
        for place in sorted(place for places in self._places.values() for place in places):
            yield self._at(place)

    def _at(self, place: Place) -> bytes:
        self._file.seek(place[0])
        return self._file.read(place[1])


def _with_cost(line: bytes, more: Cost) -> bytes:
    if not is_paid(more):
        return line
    verdict = from_line(line)
    return to_line(with_(verdict, cost=verdict.cost + with_(more, seconds=0.0)))


def is_paid(cost: Cost) -> bool:
    """Whether it is known to be more than nothing."""
    return bool(cost.prompt_tokens or cost.output_tokens or cost.money)


def drop_standing(path: Path, beside: Path, replaced: Is) -> None:
    """Drop the verdicts of ``beside`` whose groups have others in ``path`` that stay.

    Raises:
        RecordError: a file can not be read or written.
    """
    places: set[Key] = set()
    standing: set[Key] = set()
    for line in read_lines(path):
        verdict = from_line(line)
        (places if replaced(verdict) else standing).add(key(verdict.group))
    needless, lines = standing - places, read_lines(beside)
    rewrite(beside, (line for line in lines if key(from_line(line).group) not in needless))


def replace(path: Path, beside: Path) -> None:
    """Give ``beside`` the name ``path``; the caller has locked both.

    Raises:
        RecordError: it can not be renamed.
    """
    try:
        beside.replace(path)
    except OSError as error:
        raise RecordError(
            f"{path} can not be replaced: {error}; the new verdicts are in {beside}"
        ) from error
    sync_folder(path)
