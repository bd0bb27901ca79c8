"""One rank of a distributed test: scores the cases of a file, or trains, and writes what it saw."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import torch.distributed as dist

from grm_plugin.errors import GRMError
from grm_trl import AsyncGRMReward, GRMReward


def score(case: dict[str, Any], rank: int) -> dict[str, Any]:
    """What one rank gets for its rows of a case: rewards or an error, and its seconds."""
    kind = AsyncGRMReward if case.get("async") else GRMReward
    reward = kind(**{**case["settings"], **case.get("settings_by_rank", [{}] * 9)[rank]})
    rows = case["rows_by_rank"][rank]
    prompts, completions = [row[0] for row in rows], [row[1] for row in rows]
    columns = case.get("columns_by_rank", [{}] * 9)[rank]
    started = time.monotonic()
    try:
        rewards = reward(prompts=prompts, completions=completions, **columns)
        if case.get("async"):
            rewards = asyncio.run(rewards)
        outcome = {"rewards": rewards, "metrics": reward.metrics}
    except GRMError as error:
        outcome = {"error": f"{type(error).__name__}: {error}"}
    return {**outcome, "seconds": time.monotonic() - started}


def score_cases(folder: Path) -> list[dict[str, Any]]:
    """Every case of the file, one after the other, all ranks together."""
    dist.init_process_group("gloo")
    cases = json.loads((folder / "cases.json").read_text())
    outcomes = [score(case, dist.get_rank()) for case in cases]
    dist.destroy_process_group()
    return outcomes


def rounds(folder: Path) -> list[list[dict[str, float]]]:
    """The metrics of every round of every run of the file, at the step that it says."""
    dist.init_process_group("gloo")
    runs = json.loads((folder / "cases.json").read_text())
    found = []
    for run in runs:
        reward = GRMReward(**run["settings"])
        told = []
        for step, rows_by_rank in enumerate(run["rounds"], start=run["step"]):
            rows = rows_by_rank[dist.get_rank()]
            state = SimpleNamespace(global_step=step)
            prompts, completions = [row[0] for row in rows], [row[1] for row in rows]
            reward(prompts=prompts, completions=completions, trainer_state=state)
            told.append(reward.metrics)
        reward.close()
        found.append(told)
    dist.destroy_process_group()
    return found


def train(folder: Path) -> list[dict[str, Any]]:
    """The calls TRL makes on this rank: groups of four, two of them here and two there."""
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    settings = json.loads((folder / "train.json").read_text())
    reward = GRMReward(**settings["reward"])
    calls: list[dict[str, Any]] = []

    def recording(prompts: list[Any], completions: list[Any], **more: Any) -> list[float | None]:
        rewards = reward(prompts=prompts, completions=completions, **more)
        call = {"prompts": prompts, "completions": completions, "rewards": rewards}
        calls.append({**call, "metrics": reward.metrics})
        return rewards

    config = GRPOConfig(str(folder / "out"), **settings["config"])
    data = Dataset.from_dict({"prompt": settings["prompts"]})
    GRPOTrainer(settings["model"], recording, config, data).train()
    return calls


def mix(folder: Path) -> dict[str, Any]:
    """One step with the judge and another reward, as TRL logs it on this rank."""
    from datasets import Dataset
    from shown_judge import length
    from trl import GRPOConfig, GRPOTrainer

    settings = json.loads((folder / "train.json").read_text())
    rewards = [GRMReward(**settings["reward"]), length]
    config = GRPOConfig(str(folder / "out"), **settings["config"])
    data = Dataset.from_dict({"prompt": settings["prompts"]})
    trainer = GRPOTrainer(settings["model"], rewards, config, data)
    trainer.train()
    logs = trainer._logs
    columns = {name: list(values) for name, values in logs["rewards"].items()}
    return {
        "prompts": list(logs["prompt"]),
        "rewards": columns,
        "advantages": list(logs["advantages"]),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    work, folder = sys.argv[1], Path(sys.argv[2])
    seen = {"score": score_cases, "rounds": rounds, "train": train, "mix": mix}[work](folder)
    (folder / f"seen{os.environ['RANK']}.json").write_text(json.dumps(seen))
