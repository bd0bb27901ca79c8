"""The runs of the study that are there, by arm and seed, and what they reached at equal cost."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from recipes.coscaling.figures.limits import Gap, gap, reached
from recipes.coscaling.figures.runs import Run


class Arms:
    """The runs.

    Args:
        runs: of arms and seeds, in any order.
        rounds: after which all arms are compared.
        updates: optimizer steps of a round.
        edge: rounds that are the start, and the end.
        planned: seeds of each arm that are to be there in the end; an arm that is not named here
            has all of them.
    """

    def __init__(
        self,
        runs: Iterable[Run],
        *,
        rounds: int,
        updates: int,
        edge: int,
        planned: Mapping[str, int] | None = None,
    ) -> None:
        self._planned = planned or {}
        self._runs: dict[str, dict[int, Run]] = {}
        for run in runs:
            self._runs.setdefault(run.arm, {})[run.seed] = run
        self.rounds, self.steps, self.edge = rounds, rounds * updates, edge

    @property
    def names(self) -> list[str]:
        """Of the arms with a run."""
        return list(self._runs)

    def runs(self, name: str) -> Mapping[int, Run]:
        """The runs of an arm by seed; none where it was not run."""
        return self._runs.get(name, {})

    def spent(self, name: str, cost: str) -> dict[int, float]:
        """What each run of an arm had spent after the common rounds, by seed.

        Runs of which that cost was not measured are left out.
        """
        return {
            seed: float(np.interp(self.steps, run.steps_P, run.spent_P[cost]))
            for seed, run in self.runs(name).items()
            if cost in run.spent_P
        }

    def at(self, name: str, cost: str, reading: str, *, of: str) -> dict[int, float]:
        """A reading of each run of an arm, stopped at what the same seed of ``of`` had spent.

        Args:
            name: of the arm.
            cost: what is equal.
            reading: of :data:`recipes.coscaling.figures.limits.READINGS`.
            of: the arm of which the cost of the common rounds is the limit.
        """
        limits = self.spent(of, cost)
        return {
            seed: getattr(reached(run, cost, limits[seed]), reading)
            for seed, run in self.runs(name).items()
            if seed in limits and cost in run.spent_P
        }

    def share(self, name: str, cost: str, *, of: str) -> float:
        """The least share of what they are stopped at that runs of an arm spent, as :meth:`at`.

        1 where all of them were stopped; NaN where there is no run.
        """
        limits = self.spent(of, cost)
        found = [
            reached(run, cost, limits[seed]).spent / limits[seed]
            for seed, run in self.runs(name).items()
            if limits.get(seed) and cost in run.spent_P
        ]
        return min(found, default=math.nan)

    def lacking(self, *names: str) -> str:
        """Which of these arms has fewer seeds than are planned, in words; empty where none has."""
        for name in names:
            there, planned = len(self.runs(name)), self._planned.get(name, 0)
            if there < planned:
                return f"so far {there} of {planned} seeds of {name}"
        return ""

    def liked(self, name: str, cost: str, *, of: str) -> float:
        """Where the runs of an arm ended by the tuning queries, the mean over seeds, as :meth:`at`.

        Minus infinity where there is no run.
        """
        limits = self.spent(of, cost)
        values = [
            reached(replace(run, heldout_P=run.tune_P), cost, limits[seed]).final
            for seed, run in self.runs(name).items()
            if seed in limits and cost in run.spent_P
        ]
        return statistics.fmean(values) if values else -math.inf

    def gaps(self, name: str) -> dict[int, Gap]:
        """The gap of each run of an arm over the common rounds, by seed."""
        runs = self.runs(name).items()
        return {seed: gap(run, rounds=self.rounds, edge=self.edge) for seed, run in runs}

    def a_response(self, name: str, cost: str) -> float:
        """What a response cost, the mean over the common rounds and seeds; NaN without a run."""
        shares = [
            value / (self.rounds * self.runs(name)[seed].responses)
            for seed, value in self.spent(name, cost).items()
        ]
        return statistics.fmean(shares) if shares else math.nan
