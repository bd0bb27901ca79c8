"""What other commands measured, as tables: any JSON, a tree of figures most of all."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.report.page.axes import short

_ROWS, _COLUMNS, _DEEP = 400, 12, 6
_FIGURE = ("value", "low", "high")


@dataclass(frozen=True)
class Cell:
    """A text, or a number with its 95 % interval; ``link`` shows the groups behind it."""

    text: str
    interval: str = ""
    number: bool = False
    link: str = ""


@dataclass(frozen=True)
class TableRow:
    """Cells, the first of them indented so deep."""

    cells: Sequence[Cell]
    depth: int = 0


@dataclass(frozen=True)
class DataTable:
    """A table with a heading; ``left_out`` rows are not shown."""

    name: str
    head: Sequence[str]
    rows: Sequence[TableRow]
    left_out: int = 0


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


def _all(test: Callable[[Any], bool], value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(test, value))


def is_figure(value: Any) -> bool:
    """Whether ``value`` is a measured number that has an interval, a name or parts."""
    return isinstance(value, Mapping) and "value" in value and len(value) > 1


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
    rows = [row for one in figures for row in _tree(one, links, 0)]
    counted = _counted(figures)
    head = ["", "value (95 % interval)", "n", *map(_words, counted)]
    return _named(name, rows, head)


def _tree(figure: Measured, links: Links, depth: int) -> Iterator[TableRow]:
    name = str(figure.get("name") or "all")
    counts = _counts(figure)
    yield TableRow(
        [
            Cell(name, link=links.get(name, "")),
            _cell(figure),
            Cell(_text(figure.get("n", "")), number=True),
            *(Cell(_text(one), number=True) for one in counts.values()),
        ],
        depth,
    )
    for part in _parts(figure):
        yield from _tree(part, links, depth + 1)


def _parts(figure: Measured) -> Iterator[Measured]:
    parts = figure.get("parts") or ()
    if isinstance(parts, Mapping):
        yield from ({"name": name, **part} for name, part in parts.items() if is_figure(part))
    else:
        yield from (part for part in parts if is_figure(part))


def _counts(figure: Measured) -> Mapping[str, Any]:
    found = figure.get("counts") or figure.get("outcomes") or {}
    return found if isinstance(found, Mapping) else {}


def _counted(figures: Sequence[Measured]) -> list[str]:
    return list(dict.fromkeys(name for one in figures for name in _counts(one)))


def _records(rows: Sequence[Measured], name: str) -> DataTable:
    head = list(dict.fromkeys(key for row in rows[:_ROWS] for key in row))[:_COLUMNS]
    cells = [TableRow([_cell(row.get(key)) for key in head]) for row in rows]
    return _named(name, cells, [_words(key) for key in head])


def _named(name: str, rows: Sequence[TableRow], head: Sequence[str]) -> DataTable:
    return DataTable(name, head, rows[:_ROWS], max(0, len(rows) - _ROWS))


def _cell(value: Any) -> Cell:
    if is_figure(value):
        low, high = value.get("low"), value.get("high")
        known = isinstance(low, int | float) and isinstance(high, int | float)
        interval = f"{short(low)} to {short(high)}" if known else ""
        return Cell(_text(value["value"]), interval, number=True)
    return Cell(_text(value), number=isinstance(value, int | float) and not isinstance(value, bool))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "—"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else short(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value[:_COLUMNS]))
    return str(value)[:2000]


def _words(key: str) -> str:
    return str(key).replace("_", " ")
