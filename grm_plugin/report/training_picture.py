"""The picture of a run of training. Needs matplotlib, so import it when one is to be drawn."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grm_plugin.errors import InputError, on_one_line
from grm_plugin.hosts.averages import smoothed
from grm_plugin.report.training import CURVES, Curve, Point, Steps, phases, points, told
from grm_plugin.types.training import TRAIN

_BLUE, _ORANGE, _GREY, _GREEN = "#1f5fa8", "#d1622b", "#777777", "#2e8b57"
_COLUMNS, _WIDTH, _HEIGHT = 3, 4.2, 2.6  # inches of a panel
_QUALITY = "True quality"
_MARGIN = 0.05
_MOST_REACH = 3
_LONGEST = 40  # characters of a label


def save_training(path: Path, steps: Steps) -> None:
    """Draw each curve that is known over the steps of a run as a PNG.

    Single points are dots, lines their running mean; evaluations are marked apart. The title of a
    panel says what it shows.

    Args:
        path: the file; its folder is made.
        steps: of :func:`grm_plugin.report.training.steps_of`.

    Raises:
        InputError: no verdict says its step.
    """
    known = [one for one in CURVES if any(_values(steps, phase, one) for phase in phases(steps))]
    if not known:
        raise InputError("expected verdicts of a training run, got none that says its step")
    rows = math.ceil(len(known) / _COLUMNS)
    figure = Figure(figsize=(_COLUMNS * _WIDTH, rows * _HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for curve, axes in zip(known, panels, strict=False):
        _draw(axes, steps, curve)
    for axes in panels[len(known) :]:
        axes.set_visible(False)
    if len(phases(steps)) > 1:
        panels[0].legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _values(steps: Steps, phase: str, curve: Curve) -> list[Point]:
    return list(points(steps, phase, curve))


def _draw(axes: Any, steps: Steps, curve: Curve) -> None:
    shown = {phase: _values(steps, phase, curve) for phase in phases(steps)}
    shown = {phase: found for phase, found in shown.items() if found}
    for phase, found in shown.items():
        _line(axes, phase, found, curve)
    first = next(iter(shown.values()))
    axes.set_title(told(curve, [point.value for point in first]), loc="left", fontsize=10)
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    _widen(axes, curve)


def _line(axes: Any, phase: str, found: list[Point], curve: Curve) -> None:
    middles = [(point.first + point.last) / 2 for point in found]
    values = [point.value for point in found]
    if phase in (TRAIN, ""):
        colour = _GREEN if curve.name == _QUALITY else _BLUE
        axes.plot(middles, values, ".", color=colour, alpha=0.35, markersize=4)
        axes.plot(middles, smoothed(values, _reach(values)), color=colour, label=_plain(phase))
    else:
        axes.plot(middles, values, "o-", color=_ORANGE, markersize=4, label=_plain(phase))


def _plain(text: str) -> str:
    """A text of a record as a label: no mathematics, and no mark that hides it from the legend."""
    shown = on_one_line(text)[:_LONGEST].replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def _reach(values: list[float]) -> int:
    """How many neighbours a line averages over on either side; none in a short run."""
    return min(_MOST_REACH, len(values) // 10)


def _widen(axes: Any, curve: Curve) -> None:
    """Show what is ``within`` the axis, with room for lines along its edges."""
    low, high = axes.get_ylim()
    if curve.within:
        room = _MARGIN * (max(*curve.within, high) - min(*curve.within, low) or 1)
        low, high = min(low, min(curve.within) - room), max(high, max(curve.within) + room)
        axes.axhline(0, color=_GREY, linewidth=0.6)
    axes.set_ylim(low, high)
