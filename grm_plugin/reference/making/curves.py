"""The picture of a base training: its loss, and what held-out judgments were worth on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grm_plugin.hosts.inputs.lines import read_json_lines

_COLOURS = {"best of 2": "#1f5fa8", "best of 4": "#b5532a"}


def read_log(path: Path) -> list[dict[str, Any]]:
    """The looks of a training, as its `log.jsonl` has them."""
    return [look for _, look in read_json_lines(path)]


def save_curves(path: Path, looks: Sequence[Mapping[str, Any]]) -> None:
    """Draw a training as a PNG.

    Args:
        path: the file.
        looks: one for every time that the training was looked at, by step.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    loss, accuracy, truth, readable = figure.subplots(1, 4, sharex=True).flat
    steps = [one["steps"] for one in looks]
    loss.semilogy(steps, [one["loss"] for one in looks], color="#444444")
    for name, colour in _COLOURS.items():
        seen = [one[name] for one in looks]
        accuracy.plot(steps, [100 * one["single"]["value"] for one in seen], color=colour)
        truth.plot(steps, [_truth(one["agreement"]) for one in seen], color=colour, label=name)
        readable.plot(steps, [100 * one["readable"] for one in seen], color=colour)
    truth.legend(frameon=False)
    titles = ("loss, nats a token", "one sample, %", "checks that are true, %", "readable, %")
    for axes, title in zip((loss, accuracy, truth, readable), titles, strict=True):
        axes.set_title(title, loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("optimizer step; held-out groups", fontsize=10)
    figure.savefig(path, dpi=100)


def _truth(agreement: Mapping[str, float]) -> float:
    """The mean over the kinds, percent; NaN where nothing was checked yet."""
    shares = list(agreement.values())
    return 100 * sum(shares) / len(shares) if shares else float("nan")
