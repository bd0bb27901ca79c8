"""Does a policy that OpenRLHF trains on the reference GRM get better?

``PYTHONPATH=. python benchmarks/openrlhf_learning.py [--seeds 1,2,3]`` runs
``recipes/reference/openrlhf/grpo.sh`` with the unmodified trainer, on a machine without a GPU if it
must be, and measures true quality before and after on queries that no training used. A finished
run stays in ``out/openrlhf_learning/``, to be skipped. Needs what ``make test-openrlhf`` installs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from machine import save
from policy_learning import figures
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from grm_plugin.reference.policy import POLICY_MODEL, write_prompts
from grm_plugin.reference.policy_sampling import answers, fixed_tasks
from grm_plugin.reference.words import SPLITS
from tests.e2e.openrlhf.trainer import ENVIRONMENT, as_arguments, cluster

ROOT = Path(__file__).parents[1]
WORK = ROOT / "out/openrlhf_learning"
RECIPE = ROOT / "recipes/reference/openrlhf/grpo.sh"
ON_A_CPU = ("--ds.attn_implementation", "eager", "--vllm.enforce_eager")
TASKS = 300


def main() -> None:
    """Run what is missing, then save everything there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1,2,3")
    options = parser.parse_args()
    prompts = write_prompts(WORK / "prompts", 4000, seed=0)
    for seed in map(int, options.seeds.split(",")):
        trained(seed, prompts)
    runs = [json.loads(path.read_text()) for path in sorted(WORK.glob("seed-*/run.json"))]
    result = {
        "before": measured(POLICY_MODEL),
        "runs": {f"seed {run['seed']}": run for run in runs},
    }
    print("saved", save("openrlhf_learning", result, "openrlhf", "vllm", "ray", "torch"))


def trained(seed: int, prompts: Path) -> None:
    """Train one run, unless it is there."""
    folder = WORK / f"seed-{seed}"
    if (folder / "run.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "train.seed": seed,
        "data.prompt_dataset": prompts,
        "ckpt.output_dir": folder / "policy",
        "ckpt.path": folder / "checkpoints",
        "logger.tensorboard_dir": folder / "metrics",
        "grm.record": folder / "verdicts.jsonl",
    }
    started = time.monotonic()
    with cluster() as address, (folder / "log.txt").open("wb") as log:
        subprocess.run(
            ["bash", str(RECIPE), *as_arguments(options), *ON_A_CPU],
            env={**os.environ, **ENVIRONMENT, "RAY_ADDRESS": address},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=True,
        )
    seconds = round(time.monotonic() - started)
    run = {
        "seed": seed,
        "seconds": seconds,
        "reward": rewards(folder),
        **measured(folder / "policy"),
    }
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    print(f"seed {seed}: {seconds} s", {split: run[split]["true quality"] for split in SPLITS})


def rewards(folder: Path) -> list[float]:
    """Mean reward of every rollout, as the trainer logged it."""
    (run,) = (folder / "metrics").iterdir()
    events = EventAccumulator(str(run)).Reload().Scalars("train/reward")
    return [round(event.value, 4) for event in events]


def measured(policy: Path) -> dict[str, Any]:
    """True quality of ``policy`` on fixed tasks that no training used."""
    return {
        split: figures(answers(policy, fixed_tasks(TASKS, seed=0, split=split), seed=0))
        for split in SPLITS
    }


if __name__ == "__main__":
    main()
