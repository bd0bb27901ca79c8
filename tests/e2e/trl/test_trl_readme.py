"""The lines of TRL in the README train."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from datasets import load_dataset
from trl import GRPOConfig

from grm_plugin.records import read_verdicts
from grm_plugin.reference.policy import POLICY_MODEL, write_prompts
from tests.cli.conftest import ROOT
from tests.e2e.trl.test_trl_trainers import SMALL


def test_the_lines_of_the_readme_train_on_whole_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"^```py\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    Path("judge.yaml").write_text("engine: reference\nk: 2\nrecord: verdicts.jsonl\n")
    rows = load_dataset("json", data_files=str(write_prompts(tmp_path, 2, seed=5)), split="train")
    few = GRPOConfig(
        "out", num_generations=4, max_completion_length=16, **{**SMALL, "max_steps": 1}
    )
    here = code.replace("Qwen/Qwen3-0.6B", str(POLICY_MODEL))
    here = here.replace("train_dataset=dataset", "train_dataset=dataset, args=few")
    exec(compile(here, "README.md", "exec"), {"dataset": rows, "few": few})
    assert [len(one.group.responses) for one in read_verdicts(Path("verdicts.jsonl"))] == [4]
