"""One arm in a few numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.evaluation.statistics import Estimate
from recipes.coscaling.figures.arms import Arms
from recipes.coscaling.figures.limits import REACHED, READINGS
from recipes.coscaling.figures.runs import COSTS
from recipes.coscaling.figures.seeds import over_seeds

LIMIT = "growing"
"""The arm whose cost is the limit on every axis but that of steps."""


@dataclass(frozen=True)
class Row:
    """True quality on held-out queries is 0..1, each with the interval over seeds.

    Args:
        arm: its name.
        seeds: that were measured.
        start: true quality before training.
        final, peak, mean: readings after the common rounds.
        deviation: of the final one between seeds; 0 of one seed.
        gap: by how much reward grew beyond what true quality explains, in standard deviations of
            the rewards of the start.
        correlation: of both inside groups at the end; None of a reward that is true quality itself.
        alarms: that began in a run, the mean over seeds.
        megaflops: of everything that judges, a response; None where it was not measured.
        milliseconds: of a core, a response, those of the policy among them; None where nobody
            measured them.
        equal: the final one at equal cost with :data:`LIMIT`, by cost; none without that arm, of a
            cost that was not measured, or where a run ended before it had cost as much.
    """

    arm: str
    seeds: int
    start: float
    final: Estimate
    peak: Estimate
    mean: Estimate
    deviation: float
    gap: Estimate
    correlation: Estimate | None
    alarms: float
    megaflops: float | None
    milliseconds: float | None
    equal: dict[str, Estimate]


def rows(arms: Arms) -> list[Row]:
    """A row for every arm that was run."""
    return [_row(arms, name) for name in arms.names]


def exchange_rates(lines: Sequence[Row]) -> dict[str, dict[str, float | None]]:
    """What judging a response costs in each arm, in that of the scalar RM alone.

    Seconds are those of a run beyond a run with the hidden checker, which costs next to nothing.
    A cost that was not measured is None; nothing is told where one of these two arms is missing.
    """
    known = {line.arm: line for line in lines}
    if not {"scalar", "checker"} <= known.keys():
        return {}
    scalar, free = known["scalar"], known["checker"].milliseconds
    return {
        name: {
            "flops": _rate(line.megaflops, scalar.megaflops),
            "seconds": _rate(line.milliseconds, scalar.milliseconds, free),
        }
        for name, line in known.items()
        if name != "checker"
    }


def _rate(cost: float | None, unit: float | None, free: float | None = 0.0) -> float | None:
    if cost is None or unit is None or free is None:
        return None
    return (cost - free) / (unit - free)


def _row(arms: Arms, name: str) -> Row:
    readings = {
        reading: list(arms.at(name, "steps", reading, of=name).values()) for reading in READINGS
    }
    final, gaps = readings["final"], list(arms.gaps(name).values())
    return Row(
        arm=name,
        seeds=len(final),
        start=statistics.fmean(run.heldout_P[0] for run in arms.runs(name).values()),
        deviation=statistics.stdev(final) if len(final) > 1 else 0.0,
        gap=over_seeds([one.standard for one in gaps]),
        correlation=_known([one.correlation for one in gaps]),
        alarms=statistics.fmean(run.alarms for run in arms.runs(name).values()),
        megaflops=_measured(arms.a_response(name, "flops") / 1e6),
        milliseconds=_measured(arms.a_response(name, "seconds") * 1e3),
        equal=_equal(arms, name),
        **{reading: over_seeds(values) for reading, values in readings.items()},
    )


def _measured(value: float) -> float | None:
    return None if math.isnan(value) else value


def _known(values: Sequence[float]) -> Estimate | None:
    known = [value for value in values if not math.isnan(value)]
    return over_seeds(known) if known else None


def _equal(arms: Arms, name: str) -> dict[str, Estimate]:
    spent = [cost for cost in COSTS if arms.share(name, cost, of=LIMIT) >= REACHED]
    found = {cost: list(arms.at(name, cost, "final", of=LIMIT).values()) for cost in spent}
    return {cost: over_seeds(values) for cost, values in found.items() if values}
