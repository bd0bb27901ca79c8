"""Rows of files in zip and tar archives, one file at a time; nothing is unpacked to a disk."""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import Any

from grm_plugin.errors import InputError, on_one_line, quoted
from grm_plugin.hosts.inputs.lines import Row, RowError, UnreadableError
from grm_plugin.hosts.inputs.opening import rows_of_file

ZIP = (".zip",)
TAR = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_BROKEN = (
    OSError,
    EOFError,
    NotImplementedError,  # a compression or an encryption that zipfile does not know
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
)


def is_archive(path: str) -> bool:
    """Whether a name is that of an archive."""
    return path.endswith(ZIP + TAR)


def archived_rows(
    path: str, wanted: Callable[[str], bool], *, password: str | None = None
) -> Iterator[tuple[str, Row]]:
    """The name of a file in an archive and one row of it, for every row of every file.

    Files come by name of a zip archive, and as they stand in a tar archive.

    Args:
        path: of the archive.
        wanted: whether a file of that name is to be read.
        password: of a zip archive.

    Raises:
        InputError: the archive or a row of it can not be read, or the password is missing or wrong.
    """
    if password is not None and not path.endswith(ZIP):
        raise InputError(f"{path}: expected a zip archive beside a password")
    with _telling_why(path, password):
        members = _of_zip(path, wanted, password) if path.endswith(ZIP) else _of_tar(path, wanted)
        for name, file in members:
            with _telling_where(f"{path}/{name}"):
                for row in rows_of_file(file, name):
                    yield name, row


@contextmanager
def _telling_why(path: str, password: str | None) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        told = on_one_line(getattr(error, "strerror", None) or str(error))
        hint = "" if password is None else "; is the password right?"
        raise InputError(f"{path} can not be read: {told}{hint}") from error


@contextmanager
def _telling_where(label: str) -> Iterator[None]:
    try:
        yield
    except UnreadableError as error:
        raise InputError(f"{label} {error}") from error
    except RowError as error:
        raise InputError(f"{label}, {error}") from error


def _of_zip(
    path: str, wanted: Callable[[str], bool], password: str | None
) -> Iterator[tuple[str, BufferedReader]]:
    key = None if password is None else password.encode()
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda one: one.filename):
            if info.is_dir() or not wanted(info.filename):
                continue
            try:
                file = archive.open(info, pwd=key)
            except RuntimeError as error:  # all that zipfile says of passwords
                what = "a password" if key is None else "another password"
                raise InputError(
                    f"{path}: expected {what} for {quoted(info.filename)} (option password)"
                ) from error
            with file:
                yield info.filename, _buffered(file)


def _of_tar(path: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, BufferedReader]]:
    with tarfile.open(path, mode="r|*") as archive:
        for info in archive:
            if info.isfile() and wanted(info.name) and (file := archive.extractfile(info)):
                yield info.name, _buffered(file)


def _buffered(file: Any) -> BufferedReader:
    return io.BufferedReader(file)
