"""The real ``trl grpo`` on the reference recipes, two rounds of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from grm_plugin.reference.policy import write_prompts

pytest.importorskip("trl")

ROOT = Path(__file__).parents[3]
RECIPES = ROOT / "recipes"


def trained(recipe: Path, folder: Path) -> list[dict[str, Any]]:
    """What TRL logged in two rounds of ``recipe``, each of four optimizer steps."""
    write_prompts(folder / "prompts", 32, seed=5)
    options = {
        "--config": recipe,
        "--dataset_name": folder / "prompts",
        "--output_dir": folder / "run",
        "--max_steps": 8,
        "--save_steps": 8,
        "--per_device_train_batch_size": 4,
    }
    path = f"{ROOT}{os.pathsep}{ROOT / 'adapters'}"
    done = subprocess.run(
        [sys.executable, "-m", "trl.cli.main", "grpo"]
        + [str(part) for option in options.items() for part in option],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    state = (folder / "run/checkpoint-8/trainer_state.json").read_text(encoding="utf-8")
    return [row for row in json.loads(state)["log_history"] if "reward" in row]


def test_the_judges_reward_is_learned_from_and_true_quality_is_only_watched(tmp_path: Path) -> None:
    rows = trained(RECIPES / "reference/grpo/config_grm_k8.yaml", tmp_path)
    assert len(rows) == 2
    for row in rows:
        assert 0 < row["true_quality"] < 1
        assert row["rewards/watch_true_quality/mean"] is None
        assert row["reward"] == pytest.approx(row["rewards/grm/mean"])


def test_the_checker_alone_can_be_the_reward(tmp_path: Path) -> None:
    for row in trained(RECIPES / "reference/grpo/config_checker.yaml", tmp_path):
        assert row["reward"] == pytest.approx(row["rewards/true_quality/mean"])


def test_the_number_of_votes_grows_while_the_coscaling_recipe_trains(tmp_path: Path) -> None:
    recipe = yaml.safe_load((RECIPES / "reference/grpo/config_coscaling.yaml").read_text())
    judge = yaml.safe_load((ROOT / recipe["env"]["GRM_CONFIG"]).read_text())
    for stage in judge["schedule"]["stages"]:
        stage["step"] //= 14  # the second stage in the second round
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump(judge))
    recipe["env"]["GRM_CONFIG"] = str(tmp_path / "judge.yaml")
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    first, second = trained(tmp_path / "recipe.yaml", tmp_path)
    assert (first["grm/k"], second["grm/k"]) == (2, 4)
    assert 1.5 < second["grm/tokens_out"] / first["grm/tokens_out"] < 3
