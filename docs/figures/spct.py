"""What SPCT bought the reference judge."""

from __future__ import annotations

from collections.abc import Sequence

from docs.figures.cells import Result, estimate, result, table

_WROTE = {
    "ties": "ties at the top, %",
    "unreadable": "unreadable, %",
    "criteria": "criteria",
    "largest_weight": "largest weight",
    "invented": "invented criteria",
    "true_checks": "true checks, %",
    "flipped": "verdicts against their evidence, %",
    "miscounted": "sums wrong, %",
    "tokens": "tokens",
}
_WAYS = ("one sample", "greedy", "vote@8", "vote@8 - one sample", "vote@8 - greedy")
_SHARES = {"ties", "unreadable", "true_checks", "flipped", "miscounted"}


def spct_study() -> str:
    found = result("spct_study")
    figures = [one for one in found["figures"] if not _of_a_judge(one)]
    return (
        "## What SPCT buys the reference judge\n\n"
        "`recipes.spct.reference.study`, by a [protocol](../explanation/spct-study.md) that was written first; there stands what it "
        f"came to. {found['note']} Points of accuracy, mean of N = 2 and N = 4, on held-out groups; 95 % intervals clustered by "
        "phrasing, paired within a group where a difference is meant. Aims were set beforehand.\n\n"
        + table(("figure", "points", "each N, each seed", "aim"), map(_figure, figures))
        + _others(found)
        + "\nEach judge, on 2,000 held-out groups of each N (a number behind its name is the seed):\n\n"
        + _judges(found["figures"])
        + "\nHow they write there (`bare` is RFT of seed 1 from rows without criteria, on the first 600 groups of each N):\n\n"
        + _written(found["readings"])
        + "\n![What training buys, and what samples buy afterwards](../images/spct_study.png)\n"
    )


def _of_a_judge(figure: Result) -> bool:
    return ": " in figure["name"] and figure["name"].split(": ")[1] in _WAYS


def _figure(one: Result) -> tuple[str, ...]:
    parts = ", ".join(f"{name}: {part['value']:+.1f}" for name, part in one["parts"].items())
    met = f"{'met' if one['holds'] else '**not met**'}: {one['aim']}" if one["aim"] else ""
    return one["name"], estimate(one["found"], "+.1f"), parts, met


def _judges(figures: Sequence[Result]) -> str:
    cells: dict[str, dict[str, str]] = {}
    for judge, way, one in (
        (*one["name"].split(": "), one) for one in filter(_of_a_judge, figures)
    ):
        told = "+.1f" if " - " in way else ".1f"
        cells.setdefault(judge, {})[way] = estimate(one["found"], told)
    rows = [(judge, *(ways.get(way, "") for way in _WAYS)) for judge, ways in cells.items()]
    return table(("judge", *_WAYS), rows)


def _others(found: Result) -> str:
    areas = [
        f"AUC of the meta RM, {name}: {one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"
        for name, one in found.get("areas", {}).items()
    ]
    aims = [
        f"{one['name']}: {one['found']}; {'met' if one['holds'] else '**not met**'}: {one['aim']}"
        for one in found["other aims"]
    ]
    tied, without = found["ties"], found["right without principles"]
    told = ", ".join(f"{way} {100 * right:.1f} %" for way, right in without.items())
    more = (
        f"judgments that tie at the top: {100 * tied['of all']:.0f} % of all, {100 * tied['rated best']:.0f} % of those that the "
        "meta RM rates best of 64",
        f"right without principles: {told}",
    )
    unsure = ", ".join(found["not by Holm's rule"]) or "none"
    holm = f"aims whose intervals are above 0, but not by Holm's rule over all eleven: {unsure}"
    return "\n" + "".join(f"- {line}\n" for line in (*areas, *aims, holm, *more))


def _written(readings: Result) -> str:
    rows = [
        (judge, *(f"{one[name] * (100 if name in _SHARES else 1):.1f}" for name in _WROTE))
        for judge, one in readings.items()
    ]
    return table(("judge", *_WROTE.values()), rows)
