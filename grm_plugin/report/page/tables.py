"""What other commands measured, as tables: any JSON, a tree of figures most of all."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grm_plugin.report.page.axes import decimal
from grm_plugin.report.page.links import to
from grm_plugin.report.page.rows import named

_ROWS, _COLUMNS, _DEEP, _LONG, _LISTED = 400, 24, 6, 40, 12
_UNFOLDED = 12
"""Rows of a table of texts that are shown without being asked for."""
_GROUP = "group"
"""A column of this name holds ids of groups."""
_MARKS = frozenset(("low", "high", "name", "n", "parts"))


@dataclass(frozen=True)
class Cell:
    """A text, or a number with its 95 % interval; ``link`` shows the groups behind it.

    ``marked`` says in a word what is wrong with it.
    """

    text: str
    interval: str = ""
    number: bool = False
    link: str = ""
    marked: str = ""

    @property
    def is_long(self) -> bool:
        """Whether it is a text of several lines."""
        return len(self.text) > _LONG


@dataclass(frozen=True)
class TableRow:
    """Cells, the first of them indented so deep."""

    cells: Sequence[Cell]
    depth: int = 0


@dataclass(frozen=True)
class DataTable:
    """A table with a heading; a ``folded`` one is shown when asked.

    ``left_out`` rows and ``left_out_columns`` are not shown.
    """

    name: str
    head: Sequence[str]
    rows: Sequence[TableRow]
    left_out: int = 0
    left_out_columns: int = 0
    folded: bool = False

    @property
    def wordy(self) -> bool:
        """Whether some cell is a text of several lines, for narrow windows."""
        return any(cell.is_long for row in self.rows for cell in row.cells)


Links = Mapping[str, str]
Measured = Mapping[str, Any]


def tables_of(value: Any, name: str = "", *, subsets: Links | None = None) -> list[DataTable]:
    """Tables that show ``value``, JSON values of any shape.

    A figure is an object with ``value``, mostly with ``name``, ``low``, ``high``, ``n``, ``counts``
    and ``parts``, further figures; objects alike in a list are the rows of one table.

    Args:
        value: what to show.
        name: heading of the first table.
        subsets: links to the groups of a subset, by its name.
    """
    return list(_tables(value, name, subsets or {}, 0))


def _tables(value: Any, name: str, links: Links, depth: int) -> Iterator[DataTable]:
    if is_figure(value):
        yield _figures([value], name, links)
    elif _all(is_figure, value):
        yield _figures(value, name, links)
    elif _all(lambda one: isinstance(one, Mapping), value):
        yield _records(value, name)
    elif isinstance(value, Mapping) and depth < _DEEP:
        yield from _object(value, name, links, depth)
    elif value not in (None, [], {}, ()):
        yield _named(name, [TableRow([_cell(value)])], ["value"])


def settings_table(name: str, value: Measured) -> DataTable:
    """Settings however deep as one folded table, a row for each that is there."""
    rows = [TableRow([Cell(key), Cell(_text(one))]) for key, one in _leaves(value, "")]
    return replace(_named(name, rows, ["", "value"]), folded=True)


def _leaves(value: Measured, start: str) -> Iterator[tuple[str, Any]]:
    for key, one in value.items():
        if isinstance(one, Mapping):
            yield from _leaves(one, f"{start}{_words(key)}: ")
        elif one not in (None, "", [], ()):
            yield f"{start}{_words(key)}", one


def _all(test: Callable[[Any], bool], value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(test, value))


def is_figure(value: Any) -> bool:
    """Whether ``value`` is a measured number that has an interval, a name or parts."""
    return isinstance(value, Mapping) and "value" in value and bool(_MARKS.intersection(value))


def _object(value: Mapping[str, Any], name: str, links: Links, depth: int) -> Iterator[DataTable]:
    """Its single values as one table, what is deeper as further ones."""
    plain = {key: one for key, one in value.items() if _is_plain(one)}
    rows = [TableRow([Cell(_words(key)), _cell(one)]) for key, one in plain.items()]
    if rows:
        yield _named(name, rows, ["", "value"])
    for key, one in value.items():
        if key not in plain:
            inner = f"{name}: {_words(key)}" if name else _words(key)
            yield from _tables(one, inner, links, depth + 1)


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return is_figure(value) and not value.get("parts")
    inner = value if isinstance(value, list | tuple) else ()
    return not any(isinstance(one, Mapping | list | tuple) for one in inner)


def _figures(figures: Sequence[Measured], name: str, links: Links) -> DataTable:
    flat = [one for figure in figures for one in _flat(figure, 0)]
    counted = list(dict.fromkeys(key for figure, _ in flat for key in _counts(figure)))
    over = list(dict.fromkeys(key for figure, _ in flat for key in figure.get("over") or ()))
    ties = any(figure.get("ties") for figure, _ in flat)
    rows = [TableRow(_cells(one, counted, over, links, ties=ties), depth) for one, depth in flat]
    gained = [f"over {_words(key)}" for key in over]
    counts = ["n", *map(_words, counted), *(["ties count"] * ties)]
    lower = flat and all(figure.get("lower_is_better") for figure, _ in flat)
    value = f"value (95 % interval){', lower is better' if lower else ''}"
    head = ["", value, *gained, *counts]
    return _named(name, rows, head)


def _flat(figure: Measured, depth: int) -> Iterator[tuple[Measured, int]]:
    """A figure and all below it, each with how deep it is."""
    yield figure, depth
    for part in _parts(figure):
        yield from _flat(part, depth + 1)
    for name in figure.get("missing") or ():
        yield {"name": f"{name} (no item)", "value": None}, depth + 1


def _cells(
    figure: Measured, counted: Sequence[str], over: Sequence[str], links: Links, *, ties: bool
) -> list[Cell]:
    name = str(figure.get("name") or "all")
    link, counts, gained = links.get(named(name), ""), _counts(figure), figure.get("over") or {}
    return [
        Cell(name, link=link),
        figure_cell(figure),
        *(figure_cell(gained[key], signed=True) if key in gained else Cell("") for key in over),
        Cell(_text(figure.get("n", "")), number=True),
        *(_count(counts.get(key), link and f"{link}&outcome={key}") for key in counted),
        *([Cell(_text(figure.get("ties") or ""))] * ties),
    ]


def _count(count: Any, link: str) -> Cell:
    return Cell("" if count is None else _text(count), number=True, link=link if count else "")


def _parts(figure: Measured) -> Iterator[Measured]:
    parts = figure.get("parts") or ()
    if isinstance(parts, Mapping):
        yield from ({"name": name, **part} for name, part in parts.items() if is_figure(part))
    else:
        yield from (part for part in parts if is_figure(part))


def _counts(figure: Measured) -> Mapping[str, Any]:
    found = figure.get("counts") or figure.get("outcomes") or {}
    return found if isinstance(found, Mapping) else {}


def _records(rows: Sequence[Measured], name: str) -> DataTable:
    columns = list(dict.fromkeys(key for row in rows[:_ROWS] for key in row))
    head, more = columns[:_COLUMNS], len(columns[_COLUMNS:])
    cells = [TableRow([_of_column(key, row.get(key)) for key in head]) for row in rows]
    table = replace(_named(name, cells, [_words(key) for key in head]), left_out_columns=more)
    if table.wordy and len(cells) > _UNFOLDED:
        return replace(table, name=f"{name} ({len(cells):,})", folded=True)
    return table


def _of_column(key: str, value: Any) -> Cell:
    cell = _cell(value)
    return replace(cell, link=to(id=named(str(value)))) if key == _GROUP and value else cell


def _named(name: str, rows: Sequence[TableRow], head: Sequence[str]) -> DataTable:
    return DataTable(name, head, rows[:_ROWS], max(0, len(rows) - _ROWS))


def _cell(value: Any) -> Cell:
    if is_figure(value):
        return figure_cell(value)
    return Cell(_text(value), number=isinstance(value, int | float) and not isinstance(value, bool))


def figure_cell(figure: Measured, *, signed: bool = False) -> Cell:
    """The value of a figure with its interval; ``signed`` of a difference."""
    value, low, high = (figure.get(name) for name in ("value", "low", "high"))
    plus = "+" if signed and isinstance(value, int | float) and value > 0 else ""
    return Cell(f"{plus}{_text(value)}", _interval(low, high), number=True)


def _interval(low: Any, high: Any) -> str:
    known = isinstance(low, int | float) and isinstance(high, int | float)
    return f"{decimal(low)} to {decimal(high)}" if known else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "—"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else decimal(value)
    if isinstance(value, list | tuple):
        more = [f"… and {len(value) - _LISTED:,} more"] if len(value) > _LISTED else []
        return ", ".join([*map(_text, value[:_LISTED]), *more])
    return str(value)[:2000]


def _words(key: str) -> str:
    return str(key).replace("_", " ")
