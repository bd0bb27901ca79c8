"""``trl grpo --config``: the reward named in a YAML file, its judge named in the environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import yaml


def run_grpo(
    folder: Path,
    model: Path,
    judge: dict[str, object],
    environment: Mapping[str, str],
    *rewards: str,
    **more: object,
) -> subprocess.CompletedProcess[str]:
    data = folder / "data"
    data.mkdir()
    lines = [{"prompt": "red cat ?", "answer": "red"}, {"prompt": "blue dog ?", "answer": "blue"}]
    (data / "train.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "judge.yaml").write_text(yaml.safe_dump(judge))
    recipe = {
        "model_name_or_path": str(model),
        "dataset_name": str(data),
        "reward_funcs": [*rewards],
        "env": {"GRM_CONFIG": str(folder / "judge.yaml")},
        "output_dir": str(folder / "out"),
        "num_generations": 2,
        "per_device_train_batch_size": 2,
        "max_completion_length": 5,
        "max_steps": 1,
        "logging_steps": 1,
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "dtype": "float32",
        "save_strategy": "no",
        **more,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    command = [
        sys.executable,
        "-m",
        "trl.cli.main",
        "grpo",
        "--config",
        str(folder / "recipe.yaml"),
    ]
    return subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, timeout=200, check=False
    )


def test_a_recipe_trains_with_the_judge_of_grm_config(
    tiny_model: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    record = tmp_path / "verdicts.jsonl"
    own = {"columns": {"reference": "answer"}, "round_to": 0.25}
    judge = {"engine": "shown", "k": 2, "record": str(record), "adapters": {"trl": own}}
    done = run_grpo(tmp_path, tiny_model, judge, environment, "grm_trl.grm_reward")
    assert done.returncode == 0, done.stderr[-3000:]
    (verdict,) = [json.loads(line) for line in record.read_text().splitlines()]
    assert verdict["group"]["reference"] in ("red", "blue")
    assert len(verdict["rewards"]) == 2
    assert "grm/reward_spread" in done.stdout + done.stderr


def test_beside_another_reward_of_a_recipe_an_unscored_group_has_no_advantage(
    tiny_model: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    judge = {"engine": {"name": "shown", "away_for": "dog"}, "k": 2}
    rewards = ("grm_trl.grm_reward", "shown_judge.length")
    more = {"per_device_train_batch_size": 8, "num_generations": 4, "log_completions": True}
    done = run_grpo(tmp_path, tiny_model, judge, environment, *rewards, **more)
    assert done.returncode == 0, done.stderr[-3000:]
    table = pd.read_parquet(next(tmp_path.glob("out/completions/*.parquet")))
    away = table["prompt"].str.contains("dog")
    assert away.sum() == 4
    assert table.loc[away, ["grm", "length"]].isna().all(axis=None)
    assert (table.loc[away, "advantage"] == 0).all()
    assert table.loc[~away, "advantage"].abs().max() > 0.1
