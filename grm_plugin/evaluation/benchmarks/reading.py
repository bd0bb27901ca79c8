"""The rows of a benchmark: of a file, a folder, an archive, or a data set of the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.inputs.archives import ZIP, archived_rows, is_archive
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.hosts.inputs.tables import is_saved

ENDINGS = (".json", ".jsonl", ".csv", ".tsv", ".parquet")
_ARCHIVED = ENDINGS[:-1]  # Parquet is read from its end


@dataclass(frozen=True, slots=True)
class Row:
    """A row as its file has it.

    Args:
        values: by column, once :class:`Published` has looked at it; else whatever it is.
        file: where it is, from the folder or archive on that was named.
        number: of the row in its file, from 0 on.
        place: how errors call it: the file and the line.
    """

    values: Mapping[str, Any]
    file: PurePosixPath
    number: int
    place: str


def rows_of(path: str, *, password: str | None = None) -> Iterator[Row]:
    """The rows of every file of ``path``, files in the order of their names.

    Args:
        path: a file; a folder of files, or where it holds none of archives, or of a data set that
            was saved; a zip or tar archive of files; ``hub:owner/name``.
        password: of a zip archive.

    Raises:
        InputError: names the file, the line, what was expected and what came.
        EngineError: a library that this format needs is not installed.
    """
    folder = Path(path)
    if folder.is_dir() and not is_saved(folder):
        return _of_folder(folder, password)
    if is_archive(path):
        return _of_archive(path, password)
    if password is not None:
        raise InputError(f"{quoted(path)}: expected a zip archive beside a password")
    return _numbered(path, PurePosixPath(folder.name), Input(path).rows())


def _of_folder(folder: Path, password: str | None) -> Iterator[Row]:
    there = [one.relative_to(folder) for one in sorted(folder.rglob("*")) if one.is_file()]
    files = [PurePosixPath(one.as_posix()) for one in there if is_data(one.as_posix())]
    archives = [str(folder / one) for one in there if is_archive(one.name)]
    if not files and not archives:
        raise InputError(f"{folder} holds no archive and no file that ends in {', '.join(ENDINGS)}")
    for file in files:
        path = str(folder / file)
        yield from _numbered(path, file, Input(path).rows())
    if not files:
        for archive in archives:
            yield from _of_archive(archive, password if archive.endswith(ZIP) else None)


def _of_archive(path: str, password: str | None) -> Iterator[Row]:
    name, number = "", 0
    for file, (where, values) in archived_rows(path, _is_archived_data, password=password):
        name, number = file, number + 1 if file == name else 0
        yield Row(values, PurePosixPath(file), number, f"{path}/{file}, {where}")
    if not name:
        raise InputError(f"{path} holds no rows in files that end in {', '.join(_ARCHIVED)}")


def _is_archived_data(name: str) -> bool:
    return is_data(name) and name.endswith(_ARCHIVED)


def is_data(name: str) -> bool:
    """Whether a file is read, by its path: not hidden ones, nor what systems put beside."""
    plain = name.removesuffix(".gz")
    hidden = any(part.startswith((".", "__")) for part in PurePosixPath(name).parts)
    return plain.endswith(ENDINGS) and not hidden


def _numbered(label: str, file: PurePosixPath, rows: Iterator[tuple[str, Any]]) -> Iterator[Row]:
    for number, (where, values) in enumerate(rows):
        yield Row(values, file, number, f"{label}, {where}")
