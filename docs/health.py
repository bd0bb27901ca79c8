"""The page of every number of a judge's health, made of the meanings that all outputs tell."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from grm_plugin.evaluation.health.meanings import (
    MEANINGS,
    Meaning,
    of_accuracy,
    of_dropped,
    of_lift,
)
from grm_plugin.types import Reason

_HEAD = "| name | unit | without a bias | of | meaning |\n|---|---|---|---|---|\n"


def health_page() -> str:
    """Every number by section, with its unit and what it is where there is no bias."""
    found = [*MEANINGS.values(), of_lift(1), of_accuracy(1), *map(of_dropped, Reason)]
    order = list(dict.fromkeys(one.section for one in found))
    found.sort(key=lambda one: order.index(one.section))
    sections = groupby(found, lambda one: one.section)
    tables = "\n".join(f"## {name}\n\n{_HEAD}{_rows(ones)}\n" for name, ones in sections)
    return (
        "# Judge health\n\n"
        "What `grm eval` and `grm_plugin.evaluation.health.health_of` say of a judge's verdicts, "
        "under these names. [How to read them](../explanation/judge-health.md). Every number has a "
        "95 % interval, but for those whose meaning says why not; groups of one `source`, or else "
        "of one conversation, are taken together. A number that a record does not tell is left "
        "out.\n\n"
        "The unit `share` is of 1, `difference` of two shares, `points` of the judge's scale. "
        "`place_lift_1` and `place_accuracy_1` go on for every place.\n\n" + tables
    )


def _rows(meanings: Iterable[Meaning]) -> str:
    return "".join(
        f"| `{one.name}` | {one.unit} | {'' if one.neutral is None else f'{one.neutral:g}'} "
        f"| {one.units} | {one.text} |\n"
        for one in meanings
    )
