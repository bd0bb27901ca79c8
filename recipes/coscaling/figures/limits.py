"""What a run had reached when it had spent as much as another: the axes of the study."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from grm_plugin.hosts.averages import mean
from recipes.coscaling.figures.runs import Run

READINGS = ("final", "peak", "mean")
_DIGITS = 6  # of a gap; those of a published run tell no more
REACHED = 0.98
"""Share of a limit that a run must have spent to count as one that was stopped there."""


@dataclass(frozen=True, slots=True)
class Reached:
    """True quality on held-out queries, 0..1, of a run that was stopped at a limit.

    Args:
        final: where it stopped.
        peak: at the step until then that the tuning queries liked best.
        mean: over all that was spent until then.
        spent: of the cost that is limited; less than the limit where the run ended before it.
    """

    final: float
    peak: float
    mean: float
    spent: float


def reached(run: Run, cost: str, limit: float) -> Reached:
    """What ``run`` had reached after ``limit`` of ``cost``.

    Between two measured steps quality is taken to change evenly; a peak is one of these steps.

    Args:
        run: measured at two steps or more.
        cost: of :data:`recipes.coscaling.figures.runs.COSTS`.
        limit: 0 or more, in the unit of the cost; infinite: all of the run.
    """
    spent_P, heldout_P = np.array(run.spent_P[cost]), np.array(run.heldout_P)
    until = min(limit, float(spent_P[-1]))
    final = float(np.interp(until, spent_P, heldout_P))
    within_P = spent_P <= until
    chosen = int(np.argmax(np.where(within_P, run.tune_P, -np.inf)))
    at = np.append(spent_P[within_P], until)
    values = np.append(heldout_P[within_P], final)
    average = float(np.trapezoid(values, at) / until) if until else final
    return Reached(final, float(heldout_P[chosen]), average, until)


@dataclass(frozen=True, slots=True)
class Gap:
    """By how much reward grew beyond what the growth of true quality explains.

    How reward goes with true quality is taken from the responses of the start: a reward that is
    noisy, or uses little of its scale, is as honest at the end when it goes with it as it did then.

    Args:
        quality: growth of true quality that the reward claims, less what it was, 0..1; NaN where
            the reward did not rise with true quality at the start.
        standard: growth of reward beyond the explained one, in standard deviations of the rewards
            of the start.
        correlation: of both inside groups at the end; less where the policy has found what the
            reward can not tell. NaN where no round says it.
    """

    quality: float
    standard: float
    correlation: float


def gap(run: Run, *, rounds: int, edge: int) -> Gap:
    """The gap of the rounds before ``rounds``.

    Args:
        run: of which a round has reward and true quality.
        rounds: of the run that are looked at, from the first.
        edge: rounds that are the start, and the end.
    """
    reward_R, truth_R = (np.array(one[:rounds]) for one in (run.reward_R, run.truth_R))
    grown = [float(one[-edge:].mean() - one[:edge].mean()) for one in (reward_R, truth_R)]
    beyond = round(grown[0] - run.slope * grown[1], _DIGITS) + 0.0  # never -0.0
    quality = beyond / run.slope if run.slope > 0 else math.nan
    correlation = mean(one for one in run.correlation_R[:rounds][-edge:] if not math.isnan(one))
    return Gap(quality, beyond / run.deviations[0], correlation)
