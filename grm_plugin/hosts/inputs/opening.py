"""The rows of an input, by its name: which format it has, and that each of its rows is a group."""

from __future__ import annotations

import gzip
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from gzip import GzipFile
from io import BufferedReader
from pathlib import Path
from typing import Any

from grm_plugin.errors import InputError, TemplateError
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.inputs.delimited import delimited
from grm_plugin.hosts.inputs.lines import (
    Row,
    RowError,
    UnreadableError,
    is_array,
    json_array,
    json_lines,
)
from grm_plugin.hosts.inputs.tables import HUB, load, parquet, rows_of
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.rows import Ids, group_of
from grm_plugin.types import Group

Check = Callable[[Group], object]
STDIN = "-"
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-]+")


class Input:
    """Groups by the name of where they come from.

    A name that ends in ``.csv``, ``.tsv`` or ``.parquet`` has that format, ``.json`` is an array
    or lines; anything else is lines of JSON. All but Parquet may be compressed (``.gz``). A folder
    is a data set that ``datasets`` saved, or loads; ``hub:owner/name`` is one of the hub, which may
    go on with ``:split``, or ``:config:split``. ``-`` is standard input, lines of JSON.

    Args:
        name: of a file, a folder or a data set.
        split: of a data set with several.
        columns: names of the keys in this input; None: their own.
        reader: how messages, thinking and parts become text; None: its defaults.

    Raises:
        InputError: a split is named where there are none.
    """

    def __init__(
        self,
        name: str,
        *,
        split: str | None = None,
        columns: Columns | None = None,
        reader: Reader | None = None,
    ) -> None:
        self.name, self._reader, self._columns = name, reader, columns
        self._split = split
        if split is not None and not self._is_dataset:
            raise InputError(f"{self.label} has no splits; leave out --split {split}")

    @property
    def label(self) -> str:
        """How errors call it."""
        return "standard input" if self.name == STDIN else self.name

    @property
    def can_be_read_again(self) -> bool:
        """Whether :meth:`groups` gives the same groups a second time: not for a pipe."""
        return self._is_dataset or (self.name != STDIN and Path(self.name).is_file())

    @property
    def _is_dataset(self) -> bool:
        return self.name.startswith(HUB) or Path(self.name).is_dir()

    def groups(self, check: Check | None = None) -> Iterator[Group]:
        """The groups, one at a time.

        Args:
            check: called with every group; what it refuses is refused here, with its row.

        Raises:
            InputError: names the input, the row, the key, what was expected and what came.
            EngineError: a library that this format needs is not installed.
        """
        for _, found in self.each(check):
            if isinstance(found, InputError):
                raise found
            yield found

    def each(self, check: Check | None = None) -> Iterator[tuple[str, Group | InputError]]:
        """Where each row stands, and its group; in place of a row that is none, why.

        Args:
            check: as in :meth:`groups`.

        Raises:
            InputError: the input can not be read on; names the row.
            EngineError: a library that this format needs is not installed.
        """
        ids = Ids("`--columns id=` leaves ids out")
        for place, row in self.rows():
            yield place, self._group(place, row, ids, check)

    def rows(self) -> Iterator[Row]:
        """Where each row stands, and what it holds.

        Raises:
            InputError, EngineError: as in :meth:`each`.
        """
        try:
            yield from self._rows()
        except UnreadableError as error:
            raise InputError(f"{self.label} {error}") from error
        except RowError as error:
            raise InputError(f"{self.label}, {error}") from error

    def _group(self, place: str, row: Any, ids: Ids, check: Check | None) -> Group | InputError:
        try:
            group = group_of(row, self._reader, self._columns)
            ids.add(group)
            if check is not None:
                check(group)
        except (InputError, TemplateError) as error:
            found = InputError(f"{self.label}, {place}: {error}")
            found.__cause__ = error
            return found
        return group

    @cached_property
    def _table(self) -> Any:
        return load(self.name, self._split)

    def _rows(self) -> Iterator[Row]:
        if self._is_dataset:
            yield from rows_of(self._table)
        elif self.name.endswith(".parquet"):
            yield from parquet(Path(self.name))
        else:
            try:
                with self._open() as file:
                    yield from rows_of_file(file, self.name.removesuffix(".gz"))
            except (OSError, EOFError, zlib.error) as error:
                raise UnreadableError(f"can not be read: {_why(error)}{self._hint()}") from error

    def _open(self) -> BufferedReader | GzipFile:
        if self.name == STDIN:
            # a handle of its own: the interpreter can not end while a thread waits in sys.stdin
            return os.fdopen(os.dup(sys.stdin.fileno()), "rb")
        if self.name.endswith(".gz"):
            return gzip.open(self.name, "rb")
        return Path(self.name).open("rb")

    def _hint(self) -> str:
        """What a name may have been meant for that is no file."""
        if Path(self.name).exists() or not _HUB_NAME.fullmatch(self.name):
            return ""
        return f"; a data set of the hub is written {HUB}{self.name}"


def rows_of_file(file: BufferedReader | GzipFile, name: str) -> Iterator[Row]:
    """The rows of an open file, by its name: CSV, TSV, a JSON array, or lines of JSON.

    Raises:
        InputError: names the row that can not be read.
    """
    if name.endswith((".csv", ".tsv")):
        return delimited(file, "," if name.endswith(".csv") else "\t")
    if name.endswith(".json") and is_array(file):
        return json_array(file)
    return json_lines(file)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
