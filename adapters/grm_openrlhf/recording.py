"""The records of a run: one file for each rollout actor, since a file has one writer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grm_plugin.errors import RecordError
from grm_plugin.records import is_record
from grm_plugin.running.file_lock import lock, unlock


def of_engine(record: Path, engine: int | str) -> Path:
    """The file of one rollout actor.

    >>> of_engine(Path("verdicts.jsonl"), 0).name
    'verdicts.jsonl.engine0'
    """
    return record.with_name(f"{record.name}.{'engine' if isinstance(engine, int) else ''}{engine}")


def of_engines(record: Path, engines: int) -> list[Path]:
    """The files of a run with so many rollout actors."""
    return [of_engine(record, number) for number in range(engines)]


def unnumbered(record: Path) -> set[Path]:
    """The files of actors, of any run, that nobody could give a number."""
    names = re.compile(re.escape(record.name) + r"\.(actor|process)-\w+")
    return {file for file in record.parent.glob("*") if names.fullmatch(file.name)}


def check_writable(record: Path, engines: int) -> None:
    """Find out on this machine whether the files can be written, and leave no trace of it.

    Raises:
        RecordError: one of them can not, or another run is writing it.
    """
    for path in of_engines(record, engines):
        try:
            with _folder_of(path):
                _open(path)
        except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
            raise RecordError(f"record {path} can not be opened: {error}") from error


@contextmanager
def _folder_of(path: Path) -> Iterator[None]:
    """The folder of ``path``, and those above it; what was made for it is removed again."""
    folders = (path.parent, *path.parent.parents)
    made = list(itertools.takewhile(lambda folder: not folder.exists(), folders))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for folder in made:
            with suppress(OSError):  # it could not be made, or somebody else writes to it now
                folder.rmdir()


def _open(path: Path) -> None:
    was_there = path.exists()
    with path.open("ab", buffering=0) as file:
        if not path.is_file():  # pipes and devices have no lock
            return
        if not is_record(path):
            raise OSError("it holds something else than verdicts; choose another record")
        lock(file)
        if not was_there:
            path.unlink()
        unlock(file)
