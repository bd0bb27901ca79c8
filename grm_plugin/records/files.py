"""Record files: one verdict a line, read back one at a time."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from grm_plugin.errors import RecordError
from grm_plugin.records.line import VERSION, from_line
from grm_plugin.types import Verdict

MAX_LINE_BYTES = 256 << 20
"""The longest line that is read, and so the longest that is written."""
_GZIP = b"\x1f\x8b"
_LOOKED_AT = 1 << 16
_WHOLE = re.compile(rb'\{"version": ?\d+, ?"id": ?"(?:[^"\\]|\\.)*", ?"fingerprint": ?"')
_TORN = re.compile(rb'\{"version": ?\d+, ?"id": ?"')
_START = f'{{"version":{VERSION},"id":"'.encode()


def read_verdicts(path: Path) -> Iterator[Verdict]:
    """The verdicts of a record file, one at a time; a torn last line (a kill) is left out.

    Raises:
        RecordError: the file can not be read, or a line that is not the last is no verdict.
    """
    return _verdicts(read_lines(path), str(path))


def read_stream(file: BinaryIO, name: str) -> Iterator[Verdict]:
    """The verdicts that come through a pipe, as :func:`read_verdicts`.

    Args:
        file: open for reading; it is read once, and left open.
        name: how errors call it.
    """
    return _verdicts(_whole_lines(name, file), name)


def _verdicts(lines: Iterable[bytes], name: str) -> Iterator[Verdict]:
    for number, line in enumerate(lines, start=1):
        try:
            yield from_line(line)
        except RecordError as error:
            raise RecordError(f"{name}, line {number}: {error}") from error


def is_record(path: Path) -> bool:
    """Whether a file is empty, or begins with a verdict, of whatever version and torn or not.

    Raises:
        OSError: it can not be read.
    """
    with path.open("rb") as file:
        line = file.readline(_LOOKED_AT)
    if _WHOLE.match(line) or _START.startswith(line):
        return True
    return bool(_TORN.match(line)) and not _is_whole(line)


def is_torn(path: Path) -> bool:
    """Whether a file ends within a line: it was cut, or is being written.

    Raises:
        RecordError: it can not be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            return file.read(1) not in (b"", b"\n")
    except OSError as error:
        raise RecordError(f"record {path} can not be read: {error}") from error


def _is_whole(line: bytes) -> bool:
    """Whether ``line`` is no start of a longer one."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return line.endswith(b"\n")
    return True


def read_lines(path: Path, start: int = 0) -> Iterator[bytes]:
    """The lines of a record file with their newlines, but for a torn last one.

    Args:
        path: the file.
        start: byte at which a line begins, from which on it is read.

    Raises:
        RecordError: the file can not be read, or a line is longer than any record.
    """
    try:
        with path.open("rb") as lines:
            if start:  # a pipe has no places
                lines.seek(start)
            yield from _whole_lines(str(path), lines)
    except OSError as error:
        raise RecordError(f"record {path} can not be read: {error}") from error


def _whole_lines(name: str, lines: BinaryIO) -> Iterator[bytes]:
    for number in itertools.count(1):
        line = lines.readline(MAX_LINE_BYTES + 1)
        if number == 1 and line.startswith(_GZIP):
            raise RecordError(f"{name}: expected lines of JSON, got a gzip file; unpack it first")
        if line.endswith(b"\n"):
            yield line
        elif len(line) <= MAX_LINE_BYTES or not _goes_on(lines):
            return
        else:
            raise RecordError(
                f"{name}, line {number}: expected at most {MAX_LINE_BYTES >> 20} MB, got more"
            )


def _goes_on(lines: BinaryIO) -> bool:
    """Whether the line that is too long ends somewhere; else it is torn."""
    while block := lines.read(1 << 20):
        if b"\n" in block:
            return True
    return False
