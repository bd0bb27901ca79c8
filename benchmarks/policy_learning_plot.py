"""The plot of `policy_learning.py`: true quality, and what the judge believes, against rounds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

COLOURS = ("tab:blue", "tab:orange", "tab:grey")
SMOOTH = 7
"""Rounds of the centred running mean that curves are drawn with."""

Runs = Mapping[str, Sequence[dict[str, Any]]]


def plot(runs: Runs, path: Path) -> Path:
    """Draw all arms that have runs: lines are means over seeds, bands their whole range."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
    for colour, (arm, found) in zip(COLOURS, runs.items(), strict=True):
        if not found:
            continue
        label = f"reward: {arm} ({len(found)} seeds)"
        draw(left, [run["curve"]["true quality"] for run in found], colour, label)
        if arm.startswith("GRM"):
            draw(right, [run["curve"]["reward"] for run in found], colour, f"judge reward, {arm}")
            true = [run["curve"]["true quality"] for run in found]
            draw(right, true, colour, f"true quality, {arm}", line="--")
    title(left, "True quality while the policy learns", "fraction of requirements fulfilled, 0..1")
    title(right, "What the judge believes, and what is true", "mean reward and true quality, 0..1")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path


def draw(
    axes: Any,
    curves: Sequence[Sequence[float]],
    colour: str,
    label: str,
    line: str = "-",
    at: Sequence[float] | None = None,
) -> None:
    """The mean over seeds as a line and their range as a band; ``at`` places, by default rounds."""
    smooth = [smoothed(curve) for curve in curves]
    columns = list(zip(*smooth, strict=True))
    places = at or range(1, len(columns) + 1)
    axes.plot(places, [statistics.fmean(one) for one in columns], line, color=colour, label=label)
    axes.fill_between(
        places, list(map(min, columns)), list(map(max, columns)), color=colour, alpha=0.15
    )


def smoothed(curve: Sequence[float]) -> list[float]:
    """The running mean over ``SMOOTH`` rounds, of fewer at both ends."""
    reach = SMOOTH // 2
    return [
        statistics.fmean(curve[max(0, place - reach) : place + reach + 1])
        for place in range(len(curve))
    ]


def title(axes: Any, text: str, unit: str) -> None:
    """Words and numbers around a panel."""
    axes.set(title=text, xlabel="generation round", ylabel=unit, ylim=(0, 1))
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(loc="lower right", fontsize=8)
