"""Puts new verdicts in the places of old ones in a record, whatever happens meanwhile.

Three files tell how far it is. New verdicts wait beside the record until the judge is done. Then
the record is written anew as ``.merged``; the file beside goes once that is whole, and ``.merged``
takes the record's name. So a ``.merged`` is whole exactly when the file it is named for is gone.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from grm_plugin.cli.earlier import Key, key
from grm_plugin.errors import RecordError
from grm_plugin.records import from_line, read_lines
from grm_plugin.running.line_file import lock, sync_folder
from grm_plugin.types import Verdict

Places = dict[Key, deque[tuple[int, int]]]


def merge(path: Path, beside: Path, replaced: Callable[[Verdict], bool]) -> None:
    """Put the verdicts of ``beside`` where ``path`` has older ones of the same groups.

    Those that find none stand at the end. The caller has locked ``path``.

    Args:
        path: the record.
        beside: the new verdicts; gone when this returns.
        replaced: which verdicts of the record may be replaced.

    Raises:
        RecordError: it can not be written; the record is as it was, and the new verdicts wait.
    """
    merged = _merged(beside)
    try:
        with merged.open("wb") as file, beside.open("rb") as fresh:
            lock(file)  # before it has the record's name
            shutil.copymode(path, merged)
            file.writelines(_lines(path, beside, fresh, replaced))
            file.flush()
            os.fsync(file.fileno())
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


def _lines(
    path: Path, beside: Path, fresh: BinaryIO, replaced: Callable[[Verdict], bool]
) -> Iterator[bytes]:
    places = _places(read_lines(beside))
    for line in read_lines(path):
        verdict = from_line(line)
        waiting = places.get(key(verdict.group)) if replaced(verdict) else None
        yield _at(fresh, waiting.popleft()) if waiting else line
    for start, length in sorted(place for waiting in places.values() for place in waiting):
        yield _at(fresh, (start, length))


def _places(lines: Iterable[bytes]) -> Places:
    """Where each group's new verdicts stand: start and length, in bytes."""
    places: Places = {}
    start = 0
    for line in lines:
        places.setdefault(key(from_line(line).group), deque()).append((start, len(line)))
        start += len(line)
    return places


def _at(file: BinaryIO, place: tuple[int, int]) -> bytes:
    file.seek(place[0])
    return file.read(place[1])


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
