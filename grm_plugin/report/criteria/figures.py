"""From sums to figures with intervals, for all judgments and for each criterion."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.evaluation.blocks import Shape, Totals, ratio
from grm_plugin.evaluation.blocks import Sums as Summed
from grm_plugin.evaluation.paired import holm
from grm_plugin.report.criteria.errors import TIES
from grm_plugin.report.criteria.examples import Examples
from grm_plugin.report.criteria.parts import Parts, Steps
from grm_plugin.report.criteria.sums import Sums, totals
from grm_plugin.report.criteria.vocabulary import FEWEST, Criterion

Figure = dict[str, Any]
Of = Callable[[Summed], float]

_SPELLINGS = 8
_ALL = "all "
_TESTED = ("wrong_apart", "score_apart", "change")
_CLEAR = 0.05


@dataclass(frozen=True)
class Recorded:
    """What was recorded of one criterion."""

    criterion: Criterion
    sums: Sums
    examples: Examples


def told(of_all: Sums, found: Sequence[Recorded], parts: Parts) -> dict[str, Any]:
    """All figures, as JSON values; the criteria that are listed most often come first."""
    often = [one for one in found if one.sums.total("groups") >= FEWEST]
    often.sort(key=lambda one: -one.sums.total("used"))
    rows, whole = [_row(one, of_all, parts) for one in often], _alone(of_all, parts)
    _correct(rows, _TESTED)
    _correct([whole], ("change",))
    return {
        "by": parts.column if parts.names else None,
        "parts": parts.names,
        "ties": TIES,
        "all": {
            "groups": round(of_all.total("groups")),
            "judgments": round(of_all.total("used")),
            **whole,
        },
        "criteria": rows,
        "rarer_criteria": len(found) - len(often),
        "fewest_groups": FEWEST,
    }


def _row(recorded: Recorded, of_all: Sums, parts: Parts) -> dict[str, Any]:
    criterion, sums = recorded.criterion, recorded.sums
    spellings = criterion.spellings.most_common(_SPELLINGS)
    return {
        "name": criterion.name,
        "spellings": dict(spellings),
        "groups": round(sums.total("groups")),
        "judgments": round(sums.total("used")),
        **_beside(sums, of_all),
        **_alone(sums, parts),
        "examples": recorded.examples.told(),
    }


def _beside(sums: Sums, of_all: Sums) -> dict[str, Figure | None]:
    """Figures of a criterion against the judgments, or the groups, without it."""
    found = totals(sums.blocks(), of_all.blocks(_ALL))
    apart = _less(ratio("reward", "share"), _rest("reward", "share"))
    return {
        "used": _figure(found, ratio("used", f"{_ALL}used"), f"{_ALL}used", "share"),
        "weight": _figure(found, ratio("weight", "weighed"), "weighed", "share"),
        "wrong_without": _figure(found, _rest("wrong", "checked"), f"{_ALL}checked", "share"),
        "wrong_apart": _tested(found, ratio("wrong_apart", "wrong_pairs"), "wrong_pairs"),
        "reward_apart": _figure(found, apart, f"{_ALL}share"),
        "score_apart": _tested(found, ratio("score_apart", "score_pairs"), "score_pairs"),
    }


def _alone(sums: Sums, parts: Parts) -> dict[str, Any]:
    """Figures that all judgments have, and those of one criterion."""
    found = totals(sums.blocks())
    return {
        "wrong": _figure(found, ratio("wrong", "checked"), "checked", "share"),
        "reward": _figure(found, ratio("reward", "share"), "share"),
        "change": _change(sums, parts),
        "by": {name: _part(sums, 1 + place) for place, name in enumerate(parts.names)},
    }


def _part(sums: Sums, part: int) -> dict[str, Any]:
    found = totals(sums.blocks(parts=(part,)))
    return {
        "groups": round(sums.total("groups", part)),
        "wrong": _figure(found, ratio("wrong", "checked"), "checked", "share"),
        "reward": _figure(found, ratio("reward", "share"), "share"),
    }


def _change(sums: Sums, parts: Parts) -> Figure | None:
    """How much higher rewards are in the last third of the steps than in the first."""
    third = len(parts.names) // 3
    if not isinstance(parts, Steps) or not third:
        return None
    last = len(parts.names)
    blocks = (
        sums.blocks("early ", range(1, 1 + third)),
        sums.blocks("late ", range(1 + last - third, 1 + last)),
    )
    either = [
        {"either": early["early share"] + late["late share"]}
        for early, late in zip(*blocks, strict=True)
    ]
    change = _less(ratio("late reward", "late share"), ratio("early reward", "early share"))
    return _tested(totals(*blocks, either), change, "either")


def _less(one: Of, other: Of) -> Of:
    return lambda sums: one(sums) - other(sums)


def _rest(above: str, below: str) -> Of:
    """The ratio of what all have beside the criterion; NaN where that is nothing."""

    def of(sums: Summed) -> float:
        under = sums[f"{_ALL}{below}"] - sums[below]
        return (sums[f"{_ALL}{above}"] - sums[above]) / under if under > 1e-9 else math.nan

    return of


def _figure(found: Totals, of: Of, counted: str, shape: Shape = "number") -> Figure | None:
    """A figure with its interval; None where there is nothing to tell it from."""
    if not found.all.get(counted):
        return None
    one = found.estimate(of, counted, shape)
    if not math.isfinite(one.value):
        return None
    ends = (one.low, one.high) if math.isfinite(one.low) else (None, None)
    return {"value": one.value, "low": ends[0], "high": ends[1]}


def _tested(found: Totals, of: Of, counted: str) -> Figure | None:
    figure = _figure(found, of, counted)
    if figure is None:
        return None
    p = found.surprise(of, counted)
    return {**figure, "p": p if math.isfinite(p) else None}


def _correct(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """Say of each tested figure whether it is clear, with Holm's correction over the rows."""
    for name in names:
        figures = [row[name] for row in rows if row[name] and row[name]["p"] is not None]
        for figure, p in zip(figures, holm([one["p"] for one in figures]), strict=True):
            figure |= {"p_corrected": p, "clear": p < _CLEAR}
