"""The tutorial on training a judge works: its commands are run in their order, on less data."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from docs.generate import HERE
from grm_plugin.remote.launching.process import program

ROOT = HERE.parent
PAGE = HERE / "tutorial-train-a-judge.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
LESS = {
    "--groups 900": "--groups 24",
    "--groups 300": "--groups 12",
    "--samples 16": "--samples 2",
    "--max_steps 100": "--max_steps 2 --per_device_train_batch_size 8",
    "--epochs 3": "--epochs 1",
}
INSTALL = ("git", "pip", "export")


def commands() -> list[str]:
    blocks = [block.replace("\\\n", " ") for block in BLOCK.findall(PAGE.read_text())]
    lines = [line for block in blocks for line in block.splitlines()]
    told = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line for line in told if not line.startswith(INSTALL)]


@pytest.mark.timeout(1200)
def test_every_command_of_the_tutorial_runs(tmp_path: Path) -> None:
    for name in ("recipes", "grm_plugin"):
        (tmp_path / name).symlink_to(ROOT / name)
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'adapters'}", "OMP_NUM_THREADS": "1"}
    env |= dict(re.findall(r"^\$ export (\w+)=(.*)$", PAGE.read_text(), re.M))
    for command in commands():
        for much, less in LESS.items():
            command = command.replace(much, less)
        argv = program(shlex.split(command))
        assert argv, command
        done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    made = {path.name for path in (tmp_path / "out" / "own").iterdir()}
    assert {"before", "after", "rft", "rl", "meta"} <= made


def test_what_is_run_on_less_data_is_on_the_page() -> None:
    page = PAGE.read_text()
    assert all(much in page for much in LESS)
