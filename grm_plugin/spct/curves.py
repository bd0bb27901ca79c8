"""The picture of a run of online RL: what was earned, and what it did to the judgments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grm_plugin.hosts.averages import smoothed

_BLUE, _GREY = "#1f5fa8", "#777777"
_REACH = 10  # steps on either side that a line averages over


def panels(name: str) -> dict[str, str]:
    """What is drawn, and how it is called; ``name`` is the reward's."""
    return {
        "reward": "reward, -1..1",
        f"{name}/readable": "readable, share",
        f"{name}/ties": "ties at the top, share",
        f"{name}/criteria": "criteria a judgment",
        f"{name}/largest_weight": "largest weight, share",
        "kl": "KL to the start, nats a token",
        "completions/mean_length": "length, tokens",
        "frac_reward_zero_std": "groups that teach nothing, share",
    }


def save_curves(path: Path, log: Sequence[Mapping[str, Any]], *, name: str) -> None:
    """Draw a run as a PNG.

    Args:
        path: the file; its folder is made.
        log: what was logged, by step; entries without a reward do not count.
        name: of the reward in the log.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 4, sharex=True).flat
    for each, (key, title) in zip(axes, panels(name).items(), strict=True):
        _draw(each, log, key)
        each.set_title(title, loc="left", fontsize=10)
        each.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("optimizer step", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _draw(axes: Any, log: Sequence[Mapping[str, Any]], key: str) -> None:
    points = [(row["step"], row[key]) for row in log if row.get(key) is not None]
    if not points:
        return
    steps, values = zip(*points, strict=True)
    axes.plot(steps, values, ".", color=_GREY, alpha=0.4, markersize=3)
    axes.plot(steps, smoothed(values, _REACH), color=_BLUE)
