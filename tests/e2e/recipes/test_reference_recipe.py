"""The real ``trl grpo`` on the reference recipe, a few steps of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.reference.policy import write_prompts

pytest.importorskip("trl")

ROOT = Path(__file__).parents[3]


def trained(recipe: str, folder: Path) -> list[dict[str, Any]]:
    """What TRL logged in two steps of ``recipe``."""
    write_prompts(folder / "prompts", 32, seed=5)
    options = {
        "--config": f"recipes/reference/grpo/{recipe}.yaml",
        "--dataset_name": folder / "prompts",
        "--output_dir": folder / "run",
        "--max_steps": 2,
        "--save_steps": 2,
        "--per_device_train_batch_size": 16,
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
    state = (folder / "run/checkpoint-2/trainer_state.json").read_text(encoding="utf-8")
    return [row for row in json.loads(state)["log_history"] if "reward" in row]


def test_the_judges_reward_is_learned_from_and_true_quality_is_only_watched(tmp_path: Path) -> None:
    rows = trained("config_grm_k8", tmp_path)
    assert len(rows) == 2
    for row in rows:
        assert 0 < row["true_quality"] < 1
        assert row["rewards/watch_true_quality/mean"] is None
        assert row["reward"] == pytest.approx(row["rewards/grm/mean"])


def test_the_checker_alone_can_be_the_reward(tmp_path: Path) -> None:
    for row in trained("config_checker", tmp_path):
        assert row["reward"] == pytest.approx(row["rewards/true_quality/mean"])
