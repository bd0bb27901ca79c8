"""The pictures of `policy_learning.py` and `openrlhf_learning.py`, from their JSON.

``python benchmarks/learning_plots.py`` draws them anew. One reward has one colour in both, both
have one scale of true quality, and every title says what is to be seen.
"""

from __future__ import annotations

import itertools
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from grm_plugin.hosts.averages import smoothed

ROOT = Path(__file__).parent.parent
COLOURS = {"k = 8": "#1f5fa8", "k = 1": "#d1622b", "k = 2": "#b8860b", "grows": "#2e8b57"}
CHECKER = "#777777"
QUALITY = (0.38, 0.82)
SMOOTH = 7
"""Rounds of the centred running mean that curves are drawn with."""

_BESIDE: Mapping[str, Any] = {"textcoords": "offset points", "fontsize": 9}

Arms = Mapping[str, Mapping[str, Mapping[str, Any]]]


def colour(arm: str) -> str:
    """The same for the same reward, whichever trainer used it."""
    return next((found for name, found in COLOURS.items() if name in arm), CHECKER)


def plot_ends(result: Mapping[str, Any], path: Path) -> Path:
    """Where every seed ended: true quality, and by how much the judge was deceived."""
    figure, (left, right) = _panels()
    arms, before = result["arms"], result["before"]["train"]["true quality"]
    left.axvline(before, color=CHECKER, linestyle=":", lw=1)
    left.annotate("before training", (before, -0.3), (4, 0), color=CHECKER, **_BESIDE)
    for row, (arm, seeds) in enumerate(arms.items()):
        found = [seed["train"] for seed in seeds.values()]
        for shift, one in zip(_shifts(found), found, strict=True):
            left.plot(one["interval"], [row + shift] * 2, color=colour(arm), lw=1, alpha=0.5)
            left.plot(one["true quality"], row + shift, "o", color=colour(arm), markersize=6)
        gaps = [seed["gap"]["growth"] for seed in seeds.values()]
        right.plot(gaps, [row + shift for shift in _shifts(gaps)], "o", color=colour(arm))
    right.axvline(0, color=CHECKER, linestyle=":", lw=1)
    left.set_yticks(range(len(arms)), arms)
    left.set_ylim(len(arms) - 0.6, -0.4)
    left.set_xlim(*QUALITY)
    right.set_xlim(-0.03, 0.12)
    means = {arm: statistics.fmean(_qualities(seeds)) for arm, seeds in arms.items()}
    best, single, truth = (means[name] for name in ("GRM, k = 8", "GRM, k = 1", "checker"))
    left.set_title(
        f"Eight votes teach to {best:.2f}, one to {single:.2f}, the truth to {truth:.2f}",
        loc="left",
    )
    left.set_xlabel("true quality of fresh answers after training, 0..1 (dots are seeds)")
    right.set_title("The policy learns to please one vote, hardly eight", loc="left")
    right.set_xlabel("judge reward minus true quality: end less start (dots are seeds)")
    return _saved(figure, path)


def plot_curves(arms: Arms, path: Path) -> Path:
    """True quality against rollouts, and against judge tokens; bands are the range of seeds."""
    figure, (left, right) = _panels()
    for arm, runs in arms.items():
        curves = [run["curve"]["true quality"] for run in runs.values()]
        tokens = [run["curve"]["judge tokens out"] for run in runs.values()]
        spent = itertools.accumulate(
            statistics.fmean(one) / 1e6 for one in zip(*tokens, strict=True)
        )
        _draw(left, curves, arm, list(range(1, len(curves[0]) + 1)), label=False)
        _draw(right, curves, arm, list(spent), label=True)
    left.set_title("A k that grows ends where eight votes end ...", loc="left")
    right.set_title("... for fewer judge tokens", loc="left")
    left.set(xlabel="rollout", ylabel="true quality of the rollouts, 0..1")
    right.set_xlabel("tokens that the judge wrote, millions")
    for axes in (left, right):
        axes.set_ylim(*QUALITY)
    right.set_xlim(right=2.1)
    return _saved(figure, path)


def _draw(
    axes: Any, curves: Sequence[Sequence[float]], arm: str, at: Sequence[float], *, label: bool
) -> None:
    columns = list(zip(*(smoothed(one, SMOOTH // 2) for one in curves), strict=True))
    middle = [statistics.fmean(one) for one in columns]
    low, high = list(map(min, columns)), list(map(max, columns))
    axes.fill_between(at, low, high, color=colour(arm), alpha=0.15, lw=0)
    axes.plot(at, middle, color=colour(arm), lw=1.8)
    if label:
        end = (at[-1], min(high[-1], QUALITY[1]))
        axes.annotate(arm, end, (3, 6), color=colour(arm), ha="center", **_BESIDE)


def _shifts(values: Sequence[Any]) -> list[float]:
    """Heights around a row, so that seeds do not hide each other."""
    return [0.16 * (place - (len(values) - 1) / 2) for place in range(len(values))]


def _qualities(seeds: Mapping[str, Mapping[str, Any]]) -> list[float]:
    return [seed["train"]["true quality"] for seed in seeds.values()]


def _panels() -> tuple[Figure, tuple[Any, Any]]:
    figure = Figure(figsize=(11, 4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharey=True)
    for axes in panels:
        axes.grid(alpha=0.25, lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, tuple(panels)


def _saved(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path


def main() -> None:
    """Draw both anew."""
    results, images = ROOT / "benchmarks/results", ROOT / "docs/images"
    learning = json.loads((results / "policy_learning.json").read_text(encoding="utf-8"))
    print("saved", plot_ends(learning, images / "policy_learning.png"))
    openrlhf = json.loads((results / "openrlhf_learning.json").read_text(encoding="utf-8"))
    print("saved", plot_curves(openrlhf["arms"], images / "openrlhf_learning.png"))


if __name__ == "__main__":
    main()
