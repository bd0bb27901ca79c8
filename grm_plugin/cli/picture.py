"""The picture of ``grm demo``: accuracy against the number of samples that vote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grm_plugin.evaluation import Estimate

_BLUE, _GREY = "#1f5fa8", "#777777"


def save_accuracy(
    path: Path, points: Mapping[int, Estimate], *, groups: int, chance: float
) -> None:
    """Save ``points`` as a PNG with their intervals.

    Args:
        path: the file; its folder is there.
        points: for each k the accuracy, 0..1.
        groups: how many groups stand behind each point.
        chance: accuracy of a blind choice, 0..1.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw(axes, points)
    axes.axhline(100 * chance, color=_GREY, linestyle="--", label="chance")
    _label(axes, list(points))
    axes.set_title(f"{groups} held-out groups of {round(1 / chance)} responses", loc="left")
    figure.savefig(path, dpi=150)


def _draw(axes: Any, points: Mapping[int, Estimate]) -> None:
    ks, values = list(points), [100 * point.value for point in points.values()]
    low = [100 * point.low for point in points.values()]
    high = [100 * point.high for point in points.values()]
    axes.fill_between(ks, low, high, color=_BLUE, alpha=0.15, lw=0, label="95 % interval")
    axes.plot(ks, values, color=_BLUE, marker="o", label="reference GRM")
    beside = {"textcoords": "offset points", "ha": "center", "color": _BLUE}
    for k, value in zip(ks, values, strict=True):
        axes.annotate(f"{value:.0f} %", (k, value), (0, 8), **beside)


def _label(axes: Any, ks: list[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(ks, [str(k) for k in ks])
    axes.set_ylim(0, 100)
    axes.set_xlabel("samples that vote (k)")
    axes.set_ylabel("best response wins (%)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
