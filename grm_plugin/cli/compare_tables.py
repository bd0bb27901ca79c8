"""The tables of ``grm compare``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from grm_plugin.cli.eval_tables import LEFT_OUT, change, gain, rules_told, share
from grm_plugin.evaluation.contrasting import Contrast, Row
from grm_plugin.evaluation.resampled import FEWEST
from grm_plugin.report.terminal import one_line, plain_table

_MOST = 10
_TESTS = {"mcnemar": "McNemar's exact test", "bootstrap": "resamples of sources"}


def rows_table(rows: Sequence[Row]) -> Table:
    """A row for each figure: both values, B less A with its interval, and p."""
    corrected = any(row.p_holm is not None for row in rows)
    heads = ("", ">n", ">A", ">B", ">B less A", "95 % interval", ">p")
    table = plain_table(*heads, *((">p (Holm)",) if corrected else ()))
    for row in rows:
        table.add_row(
            f"{'  ' * row.depth}{one_line(row.name)}",
            f"{row.n:,}",
            share(row.first, row),
            share(row.second, row),
            gain(row.difference, row),
            _ends(row),
            chance(row.p),
            *([chance(row.p_holm)] if corrected else []),
        )
    return table


def _ends(row: Row) -> str:
    low, high = row.difference.low, row.difference.high
    return "" if math.isnan(low) else f"{change(low, row)} to {change(high, row)}"


def chance(p: float | None) -> str:
    """A p-value as people read it.

    >>> chance(0.0421), chance(0.00001), chance(None)
    ('0.042', '<0.001', '')
    """
    if p is None or math.isnan(p):
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def outcomes_told(found: Contrast) -> str:
    """Who has how many right, and what the numbers of the table mean."""
    counts = found.outcomes
    right = (
        f"both right {counts.both:,}, only A {counts.first:,}, only B {counts.second:,}, neither "
        f"{counts.neither:,}\n"
        if counts
        else ""
    )
    return right + " ".join(_meaning(found))


def _meaning(found: Contrast) -> Iterator[str]:
    yield "Values in percent, differences in points, correlations as they are;"
    yield f"* where the interval leaves out 0, of {FEWEST} sources or more."
    used = {row.test for row in found.rows}
    yield f"p: {', else '.join(told for test, told in _TESTS.items() if test in used)}."
    yield from rules_told(found.rows)
    if (top := found.rows[0]).is_correlation:
        unscored = [each.get("unscored", 0) for each in top.counts]
        yield f"{LEFT_OUT}: {unscored[0]:,} of A, {unscored[1]:,} of B."


def cost_told(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """What B costs for every token, second and dollar of A."""
    names = ("tokens", "seconds", "money")
    found = [f"{ratio:.2f}x {name}" for name in names if (ratio := _ratio(first, second, name))]
    return f"cost of B beside A: {', '.join(found) or 'not known'}"


def _ratio(first: Mapping[str, Any], second: Mapping[str, Any], name: str) -> float | None:
    one, other = first[name], second[name]
    return other / one if one and other is not None else None


def differ_table(found: Contrast) -> Table:
    """The first groups that one of them has right and the other not."""
    pairs, of = found.differ, found.outcome_of
    more = f", the first {_MOST}; all with --json" if len(pairs) > _MOST else ""
    title = f"{len(pairs):,} groups that only one has right{more}:"
    table = plain_table("group", "subset", "A", "B", title=title)
    for one, other in pairs[:_MOST]:
        subset = one_line(str(one.metadata.get("subset") or ""))
        table.add_row(one_line(one.label), subset, str(of(one)), str(of(other)))
    return table
