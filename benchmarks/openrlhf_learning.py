"""Does a policy that OpenRLHF trains on the reference GRM get better, and does a growing k pay?

``PYTHONPATH=. python benchmarks/openrlhf_learning.py [--seeds 1,2,3]`` runs the recipes of
``recipes/reference/openrlhf/`` with the unmodified trainer, on a machine without a GPU if it must
be: always 8 votes, 2 votes growing to 8, and always 2. True quality is measured before and after on
queries that no training used, the same for all runs. A finished run stays in
``out/openrlhf_learning/``, to be skipped. Needs what ``make test-openrlhf`` installs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from learning_plots import plot_curves
from machine import save
from policy_learning import figures
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from grm_plugin.evaluation.statistics import bootstrap
from grm_plugin.hosts.inputs.lines import read_json_lines
from grm_plugin.records import read_verdicts
from grm_plugin.reference.policy import POLICY_MODEL, true_quality, write_prompts
from grm_plugin.reference.policy.sampling import Answer, answers, fixed_tasks
from grm_plugin.reference.tasks.words import SPLITS
from grm_plugin.types import Verdict
from recipes.openrlhf_on_cpu.cluster import ENVIRONMENT, cluster
from tests.e2e.openrlhf.trainer import as_arguments

ROOT = Path(__file__).parents[1]
WORK = ROOT / "out/openrlhf_learning"
RECIPES = ROOT / "recipes/reference/openrlhf"
ARMS = {
    "k = 8": ("grpo.sh",),
    "k grows from 2 to 8": ("grpo_coscaling.sh",),
    "k = 2": ("grpo.sh", "--grm.k", "2"),
}
FULL = "k = 8"
ON_A_CPU = ("--ds.attn_implementation", "eager", "--vllm.enforce_eager")
TASKS = 300

Measured = dict[str, list[Answer]]


def main() -> None:
    """Run what is missing, then measure and save everything there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1,2,3")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    prompts = write_prompts(WORK / "prompts", 4000, seed=0)
    for seed in seeds:
        for arm in ARMS:
            trained(arm, seed, prompts)
    found = {arm: [measured(folder(arm, seed) / "policy") for seed in seeds] for arm in ARMS}
    result = {
        "before": summary(measured(POLICY_MODEL)),
        "arms": {
            arm: {
                f"seed {seed}": run(folder(arm, seed)) | summary(one)
                for seed, one in zip(seeds, found[arm], strict=True)
            }
            for arm in ARMS
        },
        "compared with": FULL,
        "true quality over it": {
            arm: differences(found[arm], found[FULL]) for arm in ARMS if arm != FULL
        },
    }
    print("saved", save("openrlhf_learning", result, "openrlhf", "vllm", "ray", "torch"))
    print("saved", plot_curves(result["arms"], ROOT / "docs/images/openrlhf_learning.png"))


def folder(arm: str, seed: int) -> Path:
    """Where a run is kept."""
    words = "".join(one if one.isalnum() else "-" for one in "".join(ARMS[arm]))
    return WORK / f"{words}-{seed}"


def trained(arm: str, seed: int, prompts: Path) -> None:
    """Train one run, unless it is there."""
    place = folder(arm, seed)
    if (place / "seconds").exists():
        return
    shutil.rmtree(place, ignore_errors=True)  # what an interrupted run left
    place.mkdir(parents=True)
    script, *more = ARMS[arm]
    options = {
        "train.seed": seed,
        "data.prompt_dataset": prompts,
        "ckpt.output_dir": place / "policy",
        "ckpt.path": place / "checkpoints",
        "logger.tensorboard_dir": place / "metrics",
        "grm.record": place / "verdicts.jsonl",
    }
    started = time.monotonic()
    with cluster() as address, (place / "log.txt").open("wb") as log:
        subprocess.run(
            ["bash", str(RECIPES / script), *more, *as_arguments(options), *ON_A_CPU],
            env={**os.environ, **ENVIRONMENT, "RAY_ADDRESS": address},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=True,
        )
    seconds = round(time.monotonic() - started)
    (place / "seconds").write_text(str(seconds), encoding="utf-8")
    print(f"{arm}, seed {seed}: {seconds} s")


def run(place: Path) -> dict[str, Any]:
    """What a run took, and what its rollouts were worth."""
    verdicts = [one for path in place.glob("verdicts.jsonl*") for one in read_verdicts(path)]
    return {
        "seconds": int((place / "seconds").read_text(encoding="utf-8")),
        "judge tokens in": sum(one.cost.prompt_tokens for one in verdicts),
        "judge tokens out": sum(one.cost.output_tokens for one in verdicts),
        "reward": rewards(place),
        "curve": curve(verdicts),
    }


def curve(verdicts: Sequence[Verdict]) -> dict[str, list[float]]:
    """Of every rollout the mean true quality of its responses and the judge's output tokens."""
    rollouts: dict[int, list[Verdict]] = {}
    for verdict in verdicts:
        rollouts.setdefault(verdict.group.metadata["step"], []).append(verdict)
    groups = [rollouts[step] for step in sorted(rollouts)]
    return {
        "true quality": [
            statistics.fmean(quality for one in of_step for quality in qualities(one))
            for of_step in groups
        ],
        "judge tokens out": [sum(one.cost.output_tokens for one in of_step) for of_step in groups],
    }


def qualities(verdict: Verdict) -> list[float]:
    """True quality of each response of a group."""
    responses = verdict.group.responses
    asked = requirements()[verdict.group.conversation[-1].content]
    return true_quality(responses, [asked] * len(responses))


@cache
def requirements() -> Mapping[str, Any]:
    """What each prompt asks for, as the checker reads it, by the query."""
    rows = (row for _, row in read_json_lines(WORK / "prompts/train.jsonl"))
    return {row["prompt"][-1]["content"]: row["requirements"] for row in rows}


def rewards(place: Path) -> list[float]:
    """Mean reward of every rollout, as the trainer logged it."""
    (metrics,) = (place / "metrics").iterdir()
    events = EventAccumulator(str(metrics)).Reload().Scalars("train/reward")
    return [round(event.value, 4) for event in events]


def measured(policy: Path) -> Measured:
    """What ``policy`` answers to fixed tasks that no training used."""
    return {
        split: answers(policy, fixed_tasks(TASKS, seed=0, split=split), seed=0) for split in SPLITS
    }


def summary(found: Measured) -> dict[str, Any]:
    """Mean true quality with its interval over tasks."""
    return {split: figures(given) for split, given in found.items()}


def differences(arm: Sequence[Measured], other: Sequence[Measured]) -> dict[str, Any]:
    """Mean true quality of ``arm`` minus that of ``other``: a paired bootstrap over tasks.

    Of each task the mean over the seeds counts, so the interval tells of tasks and not of seeds.
    """
    found = {}
    for split in SPLITS:
        ours, theirs = by_task(arm, split), by_task(other, split)
        estimate = bootstrap([a - b for a, b in zip(ours, theirs, strict=True)])
        found[split] = {name: round(value, 3) for name, value in asdict(estimate).items()}
    return found


def by_task(runs: Sequence[Measured], split: str) -> list[float]:
    """True quality of each task's answers, the mean over runs."""
    return [
        statistics.fmean(one.quality for one in of_task)
        for of_task in zip(*(one[split] for one in runs), strict=True)
    ]


if __name__ == "__main__":
    main()
