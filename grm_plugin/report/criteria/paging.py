"""What a page shows of criteria: rows of plain values and figures, the passages apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_TABLES = {
    "what goes with each criterion": {
        "used": "listed",
        "weight": "weight",
        "reward": "reward",
        "score_apart": "score when listed, same responses",
    },
    "wrong judgments": {
        "wrong": "when listed",
        "wrong_without": "when not",
        "wrong_apart": "apart, same groups",
    },
    "rewards over the run": {"change": "last steps less first"},
}
_PASSAGES = {
    "lowest": "passages on the lowest rewards",
    "highest": "passages on the highest rewards",
    "wrong": "passages on responses wrongly put first",
}
_NOT_COUNTED = "listings that are not counted"
_TOO_MANY = "there are too many criteria of few groups"
_SHOWN = 20
"""Criteria of which passages are shown."""


def for_page(found: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Tables of what :func:`grm_plugin.report.criteria.criteria_of` found.

    Tables of figures that no criterion has are left out; criteria stand in the order of ``found``.
    """
    rows: Sequence[Row] = found["criteria"]
    tables = {title: _figures(rows, told) for title, told in _TABLES.items()}
    if names := found["parts"]:
        tables[f"reward by {found['by']}"] = [_parts(row, names) for row in rows]
    for kind, title in _PASSAGES.items():
        tables[title] = [one for row in rows[:_SHOWN] for one in _passages(row, kind)]
    if beyond := found["criteria_beyond_the_most"]:
        tables[_NOT_COUNTED] = [{"listings": beyond, "why": _TOO_MANY}]
    return {name: table for name, table in tables.items() if table}


def _figures(rows: Sequence[Row], told: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row for each criterion; nothing where none has such figures."""
    if not any(row[name] for row in rows for name in told):
        return []
    return [
        {
            "criterion": row["name"],
            "groups": row["groups"],
            **{title: row[name] for name, title in told.items()},
        }
        for row in rows
    ]


def _parts(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {"criterion": row["name"], **{name: row["by"][name]["reward"] for name in names}}


def _passages(row: Row, kind: str) -> Iterator[dict[str, Any]]:
    for example in row["examples"][kind]:
        yield {
            "criterion": row["name"],
            "group": example["group"],
            "response": f"#{example['response']}",
            "reward": example["reward"],
            "passage": example["text"],
        }
