"""What ``grm eval`` measured where 1, 2, 4, ... samples vote, as a plot and a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grm_plugin.report.page.plots import Line, Plot, Point, line_plot
from grm_plugin.report.page.tables import Cell, DataTable, TableRow, figure_cell

Curve = Sequence[Mapping[str, Any]]


def plots(curve: Curve, name: str) -> Iterator[Plot]:
    """The figure called ``name`` against the samples that vote; none of fewer than two."""
    found = [point for point in curve if _is_number(point.get("value"))]
    if len(found) < 2:
        return
    first, last = found[0], found[-1]
    yield line_plot(
        f"{name} {_change(first, last)} with {last['k']} samples in place of {first['k']}",
        "bars are 95 % intervals; sets of samples are averaged",
        [Line("", [_point(one) for one in found])],
        x="samples that vote",
        y=name,
        labels=[(math.log2(one["k"]), str(one["k"])) for one in found],
    )


def _is_number(value: object) -> bool:
    """Whether there is a number: a score that lacks a part is none."""
    return isinstance(value, int | float) and math.isfinite(value)


def _change(first: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    change = last["value"] - first["value"]
    if abs(change) < 0.0005:
        return f"stays at {last['value']:.3f}"
    verb = "rises" if change > 0 else "falls"
    return f"{verb} from {first['value']:.3f} to {last['value']:.3f}"


def _point(one: Mapping[str, Any]) -> Point:
    found = figure_cell(one)
    label = f"k = {one['k']}: {found.text} ({found.interval or 'no interval'})"
    ends = one.get("low"), one.get("high")
    return Point(math.log2(one["k"]), one["value"], label, low=ends[0], high=ends[1])


def curve_tables(curve: Curve) -> Iterator[DataTable]:
    """The same as a table, with what it gains and costs."""
    if not curve:
        return
    names = list(dict.fromkeys(name for one in curve for name in one.get("over") or {}))
    head = ["samples", "value (95 % interval)", *(f"over {name}" for name in names)]
    rows = [TableRow(_cells(one, names)) for one in curve]
    yield DataTable("By samples", [*head, "tokens a group"], rows)


def _cells(one: Mapping[str, Any], names: Sequence[str]) -> list[Cell]:
    over = one.get("over") or {}
    tokens = one.get("tokens_per_group")
    return [
        Cell(str(one.get("k", ""))),
        figure_cell(one),
        *(figure_cell(over[name], signed=True) if name in over else Cell("") for name in names),
        Cell("" if tokens is None else f"{tokens:,.0f}", number=True),
    ]
