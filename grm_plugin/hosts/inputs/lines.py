"""Rows of JSON: one object a line, or one array of them, of which little is in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from gzip import GzipFile
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts import rows
from grm_plugin.hosts.strict_json import DECODER

Ahead = BufferedReader | GzipFile
Row = tuple[str, Any]
"""Where it stands, for errors, and what it holds."""


class UnreadableError(InputError):
    """An input can not be read, as a whole; the message goes on from its name."""


class RowError(InputError):
    """A row can not be read.

    Args:
        place: where it stands.
        why: what is wrong with it.
    """

    def __init__(self, place: str, why: object) -> None:
        super().__init__(place, why)
        self.place, self.why = place, why

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


_BLANK = re.compile(r"\s*")
_CHUNK = 1 << 20


def json_lines(file: Ahead) -> Iterator[Row]:
    """The values of a file of JSON lines; blank lines are passed over.

    Raises:
        InputError: names the line that is no JSON, or too long.
    """
    number = 0
    while line := file.readline(rows.MAX_LINE_BYTES + 1):
        number += 1
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            value = rows.parsed(line)
        except InputError as error:
            raise RowError(place, str(error)) from error
        yield place, value


def read_json_lines(path: Path) -> Iterator[Row]:
    """The values of a file of JSON lines, as :func:`json_lines` reads them, by its path.

    Only a newline ends a line: texts may hold characters that end one in print, such as U+2028.

    Raises:
        InputError: it can not be read, or a line is no JSON; names both.
    """
    try:
        with path.open("rb") as file:
            yield from json_lines(file)
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror or error}") from error
    except RowError as error:
        raise InputError(f"{path}, {error}") from error


def is_array(file: Ahead) -> bool:
    """Whether a file holds a JSON array rather than lines; nothing of it is read by that."""
    start = file.peek(_CHUNK)
    return start.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[")


def json_array(file: Ahead) -> Iterator[Row]:
    """The values of a file that is one JSON array.

    Raises:
        InputError: names the item that is no JSON, or too long.
    """
    array, number = _Array(file), 0
    while True:
        number += 1
        try:
            if not array.another(first=number == 1):
                return
            value = array.item()
        except (ValueError, RecursionError) as error:
            raise RowError(f"item {number}", f"expected JSON, got {error}") from error
        yield f"item {number}", value


class _Array:
    """The items of a JSON array, of which only one is in memory, and a chunk of the file."""

    def __init__(self, file: Ahead) -> None:
        self._text = codecs.getreader("utf-8-sig")(cast(BinaryIO, file))
        self._buffer, self._at, self._whole = "", 0, False

    def another(self, *, first: bool) -> bool:
        """Whether an item follows; passes over what stands before it.

        Raises:
            ValueError: the array does not go on, and does not end with the file.
        """
        if first:
            self._more()
            self._at = self._buffer.index("[") + 1
        found = self._next()
        if found == "]":
            self._at += 1
            if rest := self._next():
                raise ValueError(f"{quoted(rest)} behind the array")
            return False
        if not first and found != ",":
            raise ValueError(f"{quoted(found)} where the array goes on or ends")
        self._at += not first
        self._next()
        return True

    def item(self) -> Any:
        """The next item.

        Raises:
            ValueError: it is no JSON, or longer than a line may be.
        """
        while True:
            try:
                value, self._at = DECODER.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                if self._whole:
                    shown = quoted(self._buffer[self._at : self._at + 100])
                    raise ValueError(f"{shown} ({error.msg})") from error
                if len(self._buffer) - self._at > rows.MAX_LINE_BYTES:
                    raise ValueError(f"one of over {rows.MAX_LINE_BYTES >> 20} MB") from error
                self._more()
            else:
                return value

    def _next(self) -> str:
        """The next character that is not blank, empty at the end of the file."""
        while True:
            found = _BLANK.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._buffer) or self._whole:
                return self._buffer[self._at : self._at + 1]
            self._more()

    def _more(self) -> None:
        """Read on, as much again as is waiting, and drop what has been given out."""
        waiting = self._buffer[self._at :]
        read = self._text.read(max(_CHUNK, len(waiting)))
        self._buffer, self._at, self._whole = waiting + read, 0, not read
