"""The plot of `openrlhf_learning.py`: true quality against rollouts, and against judge tokens."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from policy_learning_plot import COLOURS, draw

Arms = Mapping[str, Mapping[str, Mapping[str, Any]]]


def plot(arms: Arms, path: Path) -> Path:
    """Lines are means over seeds, bands their whole range."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
    for colour, (arm, runs) in zip(COLOURS, arms.items(), strict=True):
        curves = [run["curve"]["true quality"] for run in runs.values()]
        draw(left, curves, colour, f"{arm} ({len(runs)} seeds)")
        tokens = [run["curve"]["judge tokens out"] for run in runs.values()]
        spent = itertools.accumulate(
            statistics.fmean(one) / 1e6 for one in zip(*tokens, strict=True)
        )
        draw(right, curves, colour, arm, at=list(spent))
    left.set(title="What the rollouts are worth", xlabel="rollout", ylabel="true quality, 0..1")
    right.set(title="The same against what the judge cost", xlabel="judge output tokens, millions")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.set_ylim(0.4, 0.8)
        axes.legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    return path
