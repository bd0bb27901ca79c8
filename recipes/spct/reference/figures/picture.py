"""The picture of the study: what training buys at one sample, and what samples buy afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recipes.spct.reference.figures.intervals import Figure

_WAYS = {"one sample": "#777777", "greedy": "#2e8b57", "vote@8": "#1f5fa8"}
_CURVES = ("#777777", "#1f5fa8", "#b5483a")


def save(path: Path, figures: list[Figure], curves: Mapping[str, Mapping[int, float]]) -> None:
    """Save the accuracies of every judge, and the ``curves`` over k, as a PNG.

    Args:
        path: the file.
        figures: among them accuracies, called ``judge: one sample`` and so on.
        curves: accuracy in percent at each k, by the name of the judge and its rule.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Sheet

    sheet = Sheet(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(sheet)
    left, right = sheet.subplots(1, 2)
    _draw_judges(left, figures)
    _draw_curves(right, curves)
    for axes in (left, right):
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylabel("best response found, %")
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.savefig(path, dpi=150)


def _draw_judges(axes: Any, figures: list[Figure]) -> None:
    """A place for each judge, and in it a point with its interval for each way of asking."""
    named = {tuple(one.name.split(": ")): one.found for one in figures if one.name.count(": ") == 1}
    judges = list(dict.fromkeys(judge for judge, way in named if way in _WAYS))
    for shift, (way, colour) in enumerate(_WAYS.items()):
        known = [(place, named[judge, way]) for place, judge in enumerate(judges)]
        xs, ys = [place + (shift - 1) / 5 for place, _ in known], [one.value for _, one in known]
        bars = [
            [one.value - one.low for _, one in known],
            [one.high - one.value for _, one in known],
        ]
        axes.errorbar(xs, ys, bars, fmt="o", color=colour, capsize=2, label=way)
    axes.set_xticks(range(len(judges)), judges)
    axes.legend(frameon=False)
    axes.set_title("What training buys (held-out groups, 95 %)", loc="left")


def _draw_curves(axes: Any, curves: Mapping[str, Mapping[int, float]]) -> None:
    for colour, (name, curve) in zip(_CURVES, curves.items(), strict=False):
        axes.plot(list(curve), list(curve.values()), marker="o", color=colour, label=name)
    axes.set_xscale("log", base=2)
    ks = sorted({k for curve in curves.values() for k in curve})
    axes.set_xticks(ks, [str(k) for k in ks])
    axes.set_xlabel("samples a group")
    if curves:
        axes.legend(frameon=False)
    axes.set_title("What samples buy", loc="left")
