"""Curves of a study as a PNG: accuracy against k, and against what it costs. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from grm_plugin.evaluation.scaling.comparing import MEAN
from grm_plugin.evaluation.scaling.figures import GREEDY, Part, Point

_GREY = "#777777"
_COLOURS = ("#1f5fa8", "#d1622b", "#2e8b57", "#8e44ad", "#b8860b", "#c0392b", "#16a2b8", "#555555")
_TITLE = {"overall": "all groups"}


def save_picture(path: Path, parts: Sequence[Part], schemes: Sequence[str]) -> None:
    """Save a column for each part: accuracy against k above, against tokens below.

    Args:
        path: the PNG; its folder is made.
        parts: at least one.
        schemes: which lines to draw; the mean gets its interval as a band.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(4.8, 3.9 * len(parts)), 6.8), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(2, len(parts), sharey="col", squeeze=False)
    for part, above, below in zip(parts, *grid, strict=True):
        _draw(above, part, schemes, lambda point: point.k)
        _draw(below, part, schemes, lambda point: point.cost.written)
        above.set_title(f"{_TITLE.get(part.name, part.name)}, {part.groups} groups", loc="left")
        _label_k(above, [point.k for point in part.of(MEAN)])
        below.xaxis.set_major_formatter(lambda tokens, _: f"{tokens:,.0f}")
        below.set_xlabel("tokens the judge writes for a group")
    for row in grid:
        row[0].set_ylabel("right response wins (%)")
    figure.legend(*_once(grid), frameon=False, loc="outside lower center", ncols=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _draw(axes: Any, part: Part, schemes: Sequence[str], x: Callable[[Point], float]) -> None:
    for scheme, colour in zip(schemes, _colours(schemes), strict=True):
        points = sorted(part.of(scheme), key=x)
        xs, values = [x(one) for one in points], [100 * one.accuracy.value for one in points]
        if scheme == MEAN:
            low = [100 * one.accuracy.low for one in points]
            high = [100 * one.accuracy.high for one in points]
            band = {"color": colour, "alpha": 0.15, "lw": 0, "label": "mean, 95 % interval"}
            axes.fill_between(xs, low, high, **band)
        thick, above = (2.0, 3) if scheme == MEAN else (1.2, 2)
        style = {"marker": "o", "markersize": 3.5, "lw": thick, "zorder": above}
        axes.plot(xs, values, color=colour, label=scheme, **style)
    if part.greedy:
        _draw_greedy(axes, part.greedy, x)
    axes.axhline(100 * part.chance, color=_GREY, linestyle=":", lw=1, label="chance")
    axes.set_xscale("log", base=2)
    axes.grid(axis="y", alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_greedy(axes: Any, greedy: Point, x: Callable[[Point], float]) -> None:
    value = 100 * greedy.accuracy.value
    axes.axhline(value, color=_GREY, linestyle="--", lw=1.2, label=GREEDY)
    if x(greedy) != greedy.k:  # against what it costs it is a point, too
        axes.plot([x(greedy)], [value], color=_GREY, marker="s", markersize=5)


def _colours(schemes: Sequence[str]) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(len(schemes))]


def _label_k(axes: Any, ks: Sequence[int]) -> None:
    axes.set_xticks(ks, [str(k) for k in ks])
    axes.minorticks_off()
    axes.set_xlabel("samples that vote (k)")


def _once(grid: Any) -> tuple[list[Any], list[str]]:
    """Every line of the legend once."""
    handles, labels = grid[0][0].get_legend_handles_labels()
    return list(handles), list(labels)
