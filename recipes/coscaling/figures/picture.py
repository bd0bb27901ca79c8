"""Pictures of the study; every title says what is to be seen, from the figures themselves."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grm_plugin.hosts.averages import mean, smoothed
from recipes.coscaling.figures.arms import Arms
from recipes.coscaling.figures.claims import ALONE, best_of
from recipes.coscaling.figures.runs import Run

COLOURS = {
    "checker": "#777777",
    "scalar": "#b5483a",
    "scalar_kl": "#d1622b",
    "scalar_dense": "#8a3b5c",
    "scalar_ensemble": "#a67c52",
    "grm_k1": "#c9a227",
    "grm_k8": "#1f5fa8",
    "growing": "#2e8b57",
    "scalar_k4": "#7a4fa3",
}
"""Of the arms that are drawn; the others are in the table."""

_NAMES = {
    "checker": "hidden checker",
    "scalar": "scalar RM",
    "scalar_kl": "scalar RM, KL",
    "scalar_dense": "scalar RM, dense",
    "scalar_ensemble": "three scalar RMs",
    "grm_k1": "GRM (k = 1)",
    "grm_k8": "GRM (k = 8)",
    "growing": "growing k",
    "scalar_k4": "scalar + k = 4",
}
_SMOOTH = 3  # rounds to both sides


def save_quality(path: Path, arms: Arms) -> None:
    """True quality against optimizer steps, and against what the judging cost."""
    sheet, (left, right) = _sheet(sharey=True)
    for name in _drawn(arms):
        runs = list(arms.runs(name).values())
        _draw(left, name, [(run.steps_P, run.heldout_P) for run in runs], until=arms.steps)
        if name != "checker":
            costs = [[one / 1e12 for one in run.spent_P["flops"]] for run in runs]
            pairs = zip(costs, runs, strict=True)
            _draw(right, name, [(cost, run.heldout_P) for cost, run in pairs])
    left.set_title(_told("At equal steps", _ends(arms, "steps", "grm_k8")), loc="left", fontsize=10)
    right.set_title(
        _told("At equal FLOPs", _ends(arms, "flops", "growing")), loc="left", fontsize=10
    )
    left.set(xlabel="optimizer steps", ylabel="true quality on held-out queries, 0..1")
    right.set_xlabel("judge and scalar RM, TFLOP")
    _save(sheet, left, path)


def save_gap(path: Path, arms: Arms) -> None:
    """Reward beyond what true quality explains, by round, and how the two go together."""
    sheet, (left, right) = _sheet(sharey=False)
    names = [name for name in _drawn(arms) if name != "checker"]
    for name in names:
        runs = list(arms.runs(name).values())
        _draw(left, name, [_over_rounds(_gaps(run, arms.edge)) for run in runs], until=arms.rounds)
        of_rounds = [_over_rounds(run.correlation_R) for run in runs]
        _draw(right, name, of_rounds, until=arms.rounds)
    gaps = {name: arms.gaps(name).values() for name in ("grm_k8", "scalar") if name in names}
    ahead = {name: statistics.fmean(one.standard for one in found) for name, found in gaps.items()}
    known = {name: mean(one.correlation for one in found) for name, found in gaps.items()}
    left.set_title(_told("Reward beyond truth at the end", ahead), loc="left", fontsize=10)
    right.set_title(_told("What the reward still knows", known), loc="left", fontsize=10)
    left.set(xlabel="round", ylabel="reward beyond what true quality explains, sd")
    right.set(xlabel="round", ylabel="correlation of both inside groups")
    left.axhline(0, color="#777777", lw=0.8, ls=":")
    _save(sheet, left, path)


def _drawn(arms: Arms) -> list[str]:
    return [name for name in COLOURS if name in arms.names] or arms.names


def _ends(arms: Arms, cost: str, first: str) -> dict[str, float]:
    """Where ``first`` and the best scalar arm ended when both had spent what ``first`` had."""
    alone = [name for name in ALONE if name in arms.names]
    named = (first, best_of(arms, alone, cost, first)) if alone else (first,)
    found = {name: arms.at(name, cost, "final", of=first) for name in named}
    return {name: statistics.fmean(seeds.values()) for name, seeds in found.items() if seeds}


def _told(what: str, values: Mapping[str, float]) -> str:
    """A title: what is to be seen, and what it comes to in the arms that matter most."""
    figures = ", ".join(f"{_NAMES[name]} {value:.2f}" for name, value in values.items())
    return f"{what}:\n{figures}" if figures else what


def _gaps(run: Run, edge: int) -> list[float]:
    reward_R, truth_R = (
        np.array(values) - statistics.fmean(values[:edge]) for values in (run.reward_R, run.truth_R)
    )
    return list((reward_R - run.slope * truth_R) / run.deviations[0])


def _over_rounds(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    return range(1, len(values) + 1), smoothed(values, _SMOOTH)


def _draw(
    axes: Any,
    name: str,
    curves: Sequence[tuple[Sequence[float], Sequence[float]]],
    until: float = np.inf,
) -> None:
    """The mean over seeds, and the range of them as a band, as far as all seeds go."""
    end = min(until, *(float(xs[-1]) for xs, _ in curves))
    grid = np.linspace(max(float(xs[0]) for xs, _ in curves), end, 60)
    values = np.array([np.interp(grid, xs, ys) for xs, ys in curves])
    colour = COLOURS.get(name, "#333333")
    axes.fill_between(grid, values.min(0), values.max(0), color=colour, alpha=0.15, lw=0)
    axes.plot(grid, values.mean(0), color=colour, lw=1.8, label=_NAMES.get(name, name))


def _sheet(*, sharey: bool) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sheet = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(sheet)
    panels = sheet.subplots(1, 2, sharey=sharey)
    for axes in panels:
        axes.grid(alpha=0.25, lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    return sheet, panels


def _save(sheet: Any, named: Any, path: Path) -> None:
    if named.get_legend_handles_labels()[0]:
        named.legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.savefig(path, dpi=150)
