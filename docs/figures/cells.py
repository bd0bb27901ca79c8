"""What the sections share: a saved result, a table, a value with its interval."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


Result = Mapping[str, Any]


def result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def where(found: Result) -> str:
    on = found["conditions"]
    return f"{on['date']}, {on['cores']} shared cores of an {on['processor']}"


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    heads = list(head)
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def mean_of(values: Iterable[float]) -> str:
    found = list(values)
    return f"{statistics.fmean(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def ratio(value: float, ends: tuple[float, float]) -> str:
    return f"{value:g} ({ends[0]:g} to {ends[1]:g})"


def points(ends: Sequence[float]) -> str:
    """A difference of shares in percentage points."""
    value, low, high = (100 * end for end in ends)
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def inline(text: str) -> str:
    return " ".join(text.split())


def interval(ends: Sequence[float]) -> str:
    return f"{ends[0]:.2f} ({ends[1]:.2f} to {ends[2]:.2f})"


def share(ends: Sequence[float]) -> str:
    value, low, high = (100 * end for end in ends)
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def estimate(found: Result, told: str) -> str:
    """A value with its interval, each in the format ``told``; of one seed there is no interval."""
    if found["low"] is None:
        return f"{found['value']:{told}}"
    return f"{found['value']:{told}} ({found['low']:{told}} to {found['high']:{told}})"
