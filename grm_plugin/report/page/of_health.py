"""What verdicts say of their judge's health, as plots and as a table for each kind of number."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grm_plugin.reliability import of_k_votes
from grm_plugin.report.page.links import to
from grm_plugin.report.page.plots import Line, Plot, Point, line_plot
from grm_plugin.report.page.tables import Cell, DataTable, TableRow

Measurements = Sequence[Mapping[str, Any]]

_LIFT = re.compile(r"place_lift_(\d+)")
_KS = (1, 2, 4, 8, 16, 32)
_LINKS = {
    "tie_rate": to(tied="yes"),
    "judgment_tie_rate": to(tied="yes"),
    "flip_rate": to(sort="-differ"),
    "sample_agreement": to(sort="-differ"),
    "reliability": to(sort="-differ"),
    "valid_rate": to(dropped="*"),
    "unscored_rate": to(unscored="*"),
}


def are_measurements(value: Any) -> bool:
    """Whether ``value`` is what a health report holds, as JSON."""
    known = {"name", "section", "title", "text", "meaning"}
    return bool(value) and all(isinstance(one, Mapping) and known <= one.keys() for one in value)


def plots(measurements: Measurements) -> Iterator[Plot]:
    """Scores by place, and what more votes are worth; what is not known is left out."""
    by_name = {one["name"]: one for one in measurements}
    lifts = [(int(found[1]), one) for name, one in by_name.items() if (found := _LIFT.match(name))]
    if len(lifts) > 1:
        yield _places(sorted(lifts, key=lambda place: place[0]))
    vote = by_name.get("reliability", {}).get("value")
    if vote is not None and vote > 0:
        yield _votes(by_name["reliability"])


def _places(lifts: Sequence[tuple[int, Mapping[str, Any]]]) -> Plot:
    points = [
        Point(
            *(place, one["value"], f"place {place}: {one['text']}", to(place=str(place))),
            low=one["low"],
            high=one["high"],
        )
        for place, one in lifts
    ]
    biased = [place for place, one in lifts if one["off_neutral"]]
    title = "No place scores higher or lower than the others, as far as can be told"
    if biased:
        title = f"Scores depend on the place: see place {', '.join(map(str, biased))}"
    return line_plot(
        title,
        "points above the mean of a judgment; bars are 95 % intervals that hold together",
        [Line("", points, joined=False)],
        x="place of the response in the judge's prompt",
        y="points above the mean of all places",
        within=(0,),
        labels=[(place, str(place)) for place, _ in lifts],
    )


def _votes(one: Mapping[str, Any]) -> Plot:
    def at(k: int, vote: float | None) -> float | None:
        return None if vote is None else max(0.0, of_k_votes(max(vote, 0.0), k))

    points = [
        Point(
            math.log2(k),
            value := of_k_votes(one["value"], k),
            f"{k} votes: {value:.2f}",
            low=at(k, one["low"]),
            high=at(k, one["high"]),
        )
        for k in _KS
    ]
    return line_plot(
        f"One vote has a reliability of {one['value']:.2f}, the mean of 8 votes {points[3].y:.2f}",
        "by Spearman and Brown; bars are 95 % intervals; steady is not yet right",
        [Line("", points)],
        x="votes",
        y="reliability of their mean",
        within=(0, 1),
        labels=[(math.log2(k), str(k)) for k in _KS],
    )


def tables(measurements: Measurements) -> Iterator[DataTable]:
    """The numbers of each section with what they say, those that are off marked."""
    for name in dict.fromkeys(one["section"] for one in measurements):
        rows = [TableRow(_cells(one)) for one in measurements if one["section"] == name]
        yield DataTable(str(name), ["", "value (95 % interval)", "of", "what it says"], rows)


def _cells(one: Mapping[str, Any]) -> list[Cell]:
    found = _LIFT.match(one["name"])
    link = to(place=found[1]) if found else _LINKS.get(one["name"], "")
    counted = f"{one['n']:,} {one['units']}" if "n" in one and "units" in one else ""
    value = Cell(str(one["text"]), marked="off" if one.get("off_neutral") else "")
    return [Cell(str(one["title"]), link=link), value, Cell(counted), Cell(str(one["meaning"]))]
