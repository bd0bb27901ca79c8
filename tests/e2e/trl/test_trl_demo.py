"""``grm demo --train``, run for real: TRL's trainer, the embedded judge and policy, few steps."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from grm_plugin.cli.demo_grpo import PROMPTS_A_STEP, RESPONSES, SETTINGS

ROOT = Path(__file__).parents[3]
DEMO = [sys.executable, "-c", "from grm_plugin.cli import main; main()", "demo", "--train"]
OUT = Path("out/demo/train")


@pytest.fixture
def started(tmp_path: Path, environment: Mapping[str, str]) -> Iterator[Any]:
    """Starts the demo in an empty folder, where ``GRM_CONFIG`` names no file."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        env = {**environment, "GRM_CONFIG": "nowhere.yaml"}
        process = subprocess.Popen([*DEMO, *options], env=env, cwd=tmp_path, text=True, **pipes)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def verdicts(folder: Path) -> int:
    path = folder / OUT / "verdicts.jsonl"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def test_a_run_ends_with_a_picture_the_policy_its_verdicts_and_samples(
    started: Any, tmp_path: Path
) -> None:
    process = started("--steps", "2", "--k", "1")
    shown, said = process.communicate(timeout=280)
    assert process.returncode == 0, said[-3000:]
    assert "2 steps of 32 prompts x 4 responses; the reward is the embedded judge, k = 1" in said
    for part in (
        "gained most",
        "lost most",
        "judge reward",
        "200 fresh queries",
        "95 % interval",
        f"picture: {OUT}/learning.png",
        f"next:    grm show {OUT}/verdicts.jsonl --lowest 3",
    ):
        assert part in shown
    assert (tmp_path / OUT / "learning.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / OUT / "policy/model.safetensors").exists()
    assert verdicts(tmp_path) == 2 * PROMPTS_A_STEP


def test_ctrl_c_keeps_the_curve_the_policy_and_the_verdicts(started: Any, tmp_path: Path) -> None:
    process = started("--steps", "500", "--k", "1")
    _wait_for_verdicts(tmp_path, PROMPTS_A_STEP + 1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 130, said[-3000:]
    assert "of 500; its picture, policy and verdicts are kept in out/demo/train" in said
    assert "Traceback" not in said
    assert (tmp_path / OUT / "learning.png").exists()
    assert (tmp_path / OUT / "policy/model.safetensors").exists()
    assert verdicts(tmp_path) > PROMPTS_A_STEP


def _wait_for_verdicts(folder: Path, number: int) -> None:
    deadline = time.monotonic() + 240
    while verdicts(folder) < number:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_demo_trains_as_the_recipe_does_but_shorter() -> None:
    recipe = ROOT / "recipes/reference/grpo/config_grm_k8.yaml"
    said = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    shared = said.keys() & SETTINGS.keys()
    assert {key: said[key] for key in shared} == {key: SETTINGS[key] for key in shared}
    generated = SETTINGS["per_device_train_batch_size"] * SETTINGS["steps_per_generation"]
    assert generated == PROMPTS_A_STEP * RESPONSES
    assert SETTINGS.keys() - shared == {"save_strategy"}
