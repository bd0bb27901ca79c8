"""Does a policy that is trained on the reference GRM really get better, and does it fool the judge?

``python benchmarks/policy_learning.py [--seeds 1,2,3]`` trains the tiny policy with ``trl grpo`` on
the recipes of ``recipes/reference/grpo/``: reward = the GRM with 8 votes, with 1 vote, and, as the
upper bound, the hidden checker. A finished run stays in ``out/policy_learning/``, to be skipped.
True quality is the fraction of a query's requirements that a response fulfils; no judge sees it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learning_plots import plot_ends
from machine import save

from grm_plugin.evaluation.statistics import bootstrap
from grm_plugin.reference.policy import POLICY_MODEL, write_prompts
from grm_plugin.reference.policy.sampling import Answer, answers, fixed_tasks
from grm_plugin.reference.tasks.words import SPLITS

ROOT = Path(__file__).parents[1]
WORK = ROOT / "out/policy_learning"
ARMS = {"GRM, k = 8": "config_grm_k8", "GRM, k = 1": "config_grm_k1", "checker": "config_checker"}
TASKS, EDGE = 300, 10
"""Tasks to measure on before and after; rounds that count as the start and the end of a run."""


def main() -> None:
    """Run what is missing, then summarise, save and plot everything there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--arms", default=",".join(ARMS.values()), help="names of recipes")
    parser.add_argument("--folder", type=Path, default=WORK, help="where runs are kept")
    options = parser.parse_args()
    write_prompts(options.folder / "prompts", 4000, seed=0)
    for seed in map(int, options.seeds.split(",")):
        for recipe in options.arms.split(","):
            trained(recipe, seed, options.folder)
    runs = {arm: finished(recipe, options.folder) for arm, recipe in ARMS.items()}
    before = measured(POLICY_MODEL)
    result = {
        "before": {split: before[split] for split in SPLITS},
        "arms": {arm: summary(found) for arm, found in runs.items()},
        "samples": {arm: samples(before, found[0]) for arm, found in runs.items() if found},
    }
    print("saved", save("policy_learning", result, "torch", "transformers", "trl"))
    print("saved", plot_ends(result, ROOT / "docs/images/policy_learning.png"))


def trained(recipe: str, seed: int, work: Path) -> None:
    """Train one run, unless it is there."""
    folder = work / f"{recipe}-{seed}"
    if (folder / "run.json").exists():
        return
    started = time.monotonic()
    subprocess.run(command(recipe, seed, folder), cwd=ROOT, env=environment(), check=True)
    seconds = round(time.monotonic() - started)
    run = {"seed": seed, "seconds": seconds, "curve": curve(folder), **measured(last(folder))}
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    print(recipe, seed, f"{seconds} s", {split: run[split]["true quality"] for split in SPLITS})


def command(recipe: str, seed: int, folder: Path) -> list[str]:
    """The real command line of TRL."""
    config = f"recipes/reference/grpo/{recipe}.yaml"
    prompts = folder.parent / "prompts"
    options = ["--seed", seed, "--dataset_name", prompts, "--output_dir", folder]
    return [*map(str, [sys.executable, "-m", "trl.cli.main", "grpo", "--config", config, *options])]


def environment() -> dict[str, str]:
    """One thread; this tree's packages, also where they are not installed."""
    path = f"{ROOT}{os.pathsep}{ROOT / 'adapters'}"
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def last(folder: Path) -> Path:
    """The checkpoint at the end of a run."""
    return max(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))


def curve(folder: Path) -> dict[str, list[float]]:
    """Per generation round: mean reward that was learned from and mean true quality, 0..1."""
    state = json.loads((last(folder) / "trainer_state.json").read_text(encoding="utf-8"))
    rows = [row for row in state["log_history"] if "reward" in row]
    return {
        "reward": [row["reward"] for row in rows],
        "true quality": [row.get("true_quality", row["reward"]) for row in rows],
    }


def measured(policy: Path) -> dict[str, Any]:
    """True quality of ``policy`` on fixed tasks that no training used, and samples to read."""
    found = {
        split: answers(policy, fixed_tasks(TASKS, seed=0, split=split), seed=0) for split in SPLITS
    }
    return {split: figures(given) for split, given in found.items()} | {
        "answers": [
            {"query": one.task.query, "response": one.response, "quality": one.quality}
            for one in found["train"]
        ]
    }


def figures(given: Sequence[Answer]) -> dict[str, Any]:
    """Mean true quality with its 95 % interval over tasks, and the share that ended by itself."""
    estimate = bootstrap([one.quality for one in given])
    return {
        "true quality": round(estimate.value, 3),
        "interval": [round(estimate.low, 3), round(estimate.high, 3)],
        "ended by itself": statistics.fmean(one.finished for one in given),
    }


def finished(recipe: str, work: Path) -> list[dict[str, Any]]:
    """The runs of a recipe that are there, by seed."""
    paths = sorted(work.glob(f"{recipe}-*/run.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Every run of an arm in a few numbers."""
    return {
        f"seed {run['seed']}": {split: run[split] for split in SPLITS}
        | {"seconds": run["seconds"], "gap": gap(run["curve"]), "curve": run["curve"]}
        for run in runs
    }


def samples(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """One answer each before and after the first seed's run, chosen by a rule.

    The tasks are ranked by how much their answer gained in true quality, equal gains in the order
    of the tasks: the last is the best, the first the worst, the middle one typical.
    """
    pairs = list(zip(before["answers"], after["answers"], strict=True))
    ranked = sorted(pairs, key=lambda pair: pair[1]["quality"] - pair[0]["quality"])
    chosen = {"best": ranked[-1], "typical": ranked[len(ranked) // 2], "worst": ranked[0]}
    return {name: {"before": old, "after": new} for name, (old, new) in chosen.items()}


def gap(seen: dict[str, list[float]]) -> dict[str, float]:
    """Reward minus true quality at the start and at the end of training.

    The reward is the mean score of the judge mapped from 1..10 to 0..1, true quality a fraction:
    the same range, but not the same scale. So the growth of the gap tells more than the gap.
    """
    gaps = [ours - true for ours, true in zip(seen["reward"], seen["true quality"], strict=True)]
    first, final = statistics.fmean(gaps[:EDGE]), statistics.fmean(gaps[-EDGE:])
    return {"start": round(first, 3), "end": round(final, 3), "growth": round(final - first, 3)}


if __name__ == "__main__":
    main()
