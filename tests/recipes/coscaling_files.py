"""The files of a run of the co-scaling study that was made up."""

from __future__ import annotations

import json
from pathlib import Path

from recipes.coscaling.following import logged
from recipes.coscaling.plan import plan


def written(folder: Path, arm: str, seed: int, *, gain: float, costs: float) -> None:
    """A run's files as the study's commands write them, of 40 rounds and the points they keep."""
    run = folder / "runs" / arm / str(seed)
    run.mkdir(parents=True)
    lines, steps = [], plan().rounds * plan().updates
    for step in range(1, steps + 1):
        row = {"step": step, "loss": 0.1, "cpu_seconds": 0.5 + costs}
        if step % plan().updates == 1:
            row |= {
                "reward": 0.4 + gain * step / steps,
                "true_quality": 0.45 + gain * step / steps,
                "true_quality_deviation": 0.3,
                "rewards/grm/std" if costs else "rewards/true_quality/std": 0.2,
                "rewards/watched/std": None,
            }
            row |= {"grm/alarms": float(step > 100 and costs == 1.0)}
            row |= {"flops": 1e9 * costs, "tokens": 5e3}
            row |= {"grm/truth_correlation": 0.6} if costs else {}
        if costs and step % plan().updates == 2:  # a verdict that was told of late
            row |= logged([(0.25, 0.5), (0.75, 0.7)])
        lines.append(json.dumps(row))
    (run / "metrics.jsonl").write_text("\n".join([*lines, json.dumps({"step": steps})]) + "\n")
    every = plan().kept * plan().updates
    points = [
        {"step": step, **{name: {"quality": 0.4 + gain * step / steps} for name in plan().queries}}
        for step in range(0, steps + 1, every)
    ]
    truth = folder / "truth" / arm / f"{seed}.json"
    truth.parent.mkdir(parents=True, exist_ok=True)
    truth.write_text(json.dumps(points))
