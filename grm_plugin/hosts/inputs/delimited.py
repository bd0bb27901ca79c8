"""Rows of CSV and TSV."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from grm_plugin.errors import quoted
from grm_plugin.hosts import rows
from grm_plugin.hosts.cells import Cells
from grm_plugin.hosts.inputs.lines import Ahead, Row, RowError


def delimited(file: Ahead, delimiter: str) -> Iterator[Row]:
    """The rows of a file with a header, each a mapping from column to cell.

    Raises:
        InputError: names the row that has too many or too few cells, is no UTF-8, or is too long.
    """
    csv.field_size_limit(max(csv.field_size_limit(), min(rows.MAX_LINE_BYTES, sys.maxsize)))
    table = csv.reader(_texts(file), delimiter=delimiter, strict=True)
    header, number = _header(table), 0
    for cells in _records(table):
        if not cells:
            continue
        number += 1
        place = f"row {number} (up to line {table.line_num})"
        if len(cells) != len(header):
            raise RowError(place, f"expected {len(header)} cells, got {len(cells)}")
        named = zip(header, cells, strict=True)
        yield place, Cells((name, cell) for name, cell in named if name)


def _texts(file: Ahead) -> Iterator[str]:
    number = 0
    while line := file.readline(rows.MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > rows.MAX_LINE_BYTES:
            most = rows.MAX_LINE_BYTES >> 20
            raise RowError(f"line {number}", f"expected at most {most} MB, got a longer one")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            got = line[error.start : error.end]
            raise RowError(f"line {number}", f"expected UTF-8, got {got!r}") from error


def _records(table: Any) -> Iterator[list[str]]:
    while True:
        try:
            yield next(table)
        except StopIteration:
            return
        except csv.Error as error:
            raise RowError(f"line {table.line_num}", f"expected CSV, got {error}") from error


def _header(table: Any) -> list[str]:
    """The names of the columns; one without a name is an index, which says nothing."""
    header = next(_records(table), [])
    twice = [name for name, count in Counter(filter(None, header)).items() if count > 1]
    if twice:
        raise RowError("line 1", f"expected each column once, got {quoted(twice[0])} twice")
    return header
