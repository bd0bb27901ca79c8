"""Pictures: what more votes are worth, how a policy learns, how calibrated a classifier is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grm_plugin.cli.demo_steps import Step
from grm_plugin.evaluation.calibration import Calibration
from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.hosts.averages import smoothed

_BLUE, _GREY, _GREEN = "#1f5fa8", "#777777", "#2e8b57"


def save_accuracy(
    path: Path, points: Mapping[int, Estimate], *, groups: int, chance: float
) -> None:
    """Save ``points`` as a PNG with their intervals.

    Args:
        path: the file; its folder is made.
        points: for each k the accuracy, 0..1.
        groups: how many groups stand behind each point.
        chance: accuracy of a blind choice, 0..1.
    """
    with _axes(path) as axes:
        _draw(axes, points)
        axes.axhline(100 * chance, color=_GREY, linestyle="--", label="chance")
        _label(axes, list(points))
        axes.set_title(f"{groups} held-out groups of {round(1 / chance)} responses", loc="left")


def save_learning(path: Path, curve: Sequence[Step]) -> None:
    """Save judge reward and true quality against steps as a PNG.

    Args:
        path: the file; its folder is made.
        curve: at least one step.
    """
    numbers = [step.number for step in curve]
    rewards = [step.judge_reward for step in curve]
    qualities = [step.true_quality for step in curve]
    with _axes(path) as axes:
        _draw_run(axes, numbers, rewards, _BLUE, "judge reward: what is learned from")
        _draw_run(axes, numbers, qualities, _GREEN, "true quality: a hidden checker")
        axes.set_ylim(0, 1)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("GRPO step")
        axes.set_ylabel("mean over the step's responses (0..1)")
        axes.set_title("A policy learns from the embedded judge", loc="left")


def save_calibration(path: Path, found: Calibration, unit: str) -> None:
    """Save a reliability diagram of a classifier as a PNG.

    Args:
        path: the file; its folder is made.
        found: at least one bin.
        unit: what is right or wrong, in the plural.
    """
    predicted = [100 * one.predicted for one in found.bins]
    observed = [100 * one.observed for one in found.bins]
    with _axes(path) as axes:
        axes.plot([0, 100], [0, 100], color=_GREY, linestyle="--", label="calibrated")
        axes.plot(predicted, observed, color=_BLUE, marker="o", label="bins of equal size")
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_xlabel("predicted chance to be right (%)")
        axes.set_ylabel(f"{unit} that are right (%)")
        number = sum(one.number for one in found.bins)
        axes.set_title(f"{number} held-out {unit}, ECE {found.ece:.3f}", loc="left")


@contextmanager
def _axes(path: Path) -> Iterator[Any]:
    """Empty axes to draw on, saved as ``path`` in the end."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    yield axes
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _draw_run(
    axes: Any, numbers: Sequence[int], values: Sequence[float], colour: str, label: str
) -> None:
    """The running mean as a line, single steps as dots."""
    axes.plot(numbers, values, ".", color=colour, alpha=0.3, markersize=4)
    axes.plot(numbers, smoothed(values), color=colour, label=label)


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
