"""A judge learns by its outcomes in the unmodified OpenRLHF: the recipe, with fewer prompts."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRMConfig
from grm_plugin.cli.train_rl_data import rl_data
from grm_plugin.reference.judge import MODEL
from grm_plugin.spct.asking import Asking
from grm_plugin.spct.rewarding import outcome
from tests.cli.conftest import ROOT
from tests.e2e.openrlhf.trainer import PROMPTS_PER_STEP, SAMPLES, Training
from tests.spct.reference_data import rm_rows

RECIPE = ROOT / "recipes/spct/reference/grpo_openrlhf.sh"
STEPS, MAX_TOKENS = 2, 160  # some of the judgments are cut at that


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    source, out = folder / "rm.jsonl", folder / "rl.jsonl"
    found = rm_rows(PROMPTS_PER_STEP * STEPS)
    source.write_text("".join(json.dumps(row) + "\n" for row in found))
    rl_data(str(source), out, template="reference")
    return out


@pytest.fixture(scope="module")
def run(rows: Path, address: str, tmp_path_factory: pytest.TempPathFactory) -> Training:
    """A finished run of two policy updates."""
    folder = tmp_path_factory.mktemp("outcome")
    # as `ray job submit --runtime-env-json` hands it to a job
    job = {"runtime_env": {"env_vars": {"GRM_CONFIG": str(RECIPE.with_name("judge.yaml"))}}}
    options = {
        "actor.model_name_or_path": MODEL,
        "algo.kl.init_coef": 0.02,
        "data.prompt_dataset": rows,
        "data.label_key": "target",
        "data.max_len": 640,
        "rollout.max_new_tokens": MAX_TOKENS,
        "train.num_episodes": 1,
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", json.dumps(job))
        training = Training(address, folder, ["bash", str(RECIPE)], steps=STEPS, options=options)
    with training:
        assert training.wait() == 0, training.output[-6000:]
    return training


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def expected(row: Mapping[str, Any], text: str, *, finished: bool) -> float:
    reader = Asking.of(GRMConfig(template="reference")).form(row["responses"]).reader
    return outcome(text, row["label"], row["responses"], reader, finished=finished).reward


def test_rewards_of_the_update_are_those_of_the_rule(run: Training, rows: Path) -> None:
    updates = run.updates()
    assert [len(update) for update in updates] == [PROMPTS_PER_STEP * SAMPLES] * STEPS
    asked = {row["prompt"][0]["content"]: row for row in lines(rows)}
    seen = set()
    for sample in (one for update in updates for one in update):
        row = asked[sample.prompt.removeprefix("<|bos|>")]
        seen.add(row["id"])
        finished = not sample.logs["outcome/truncated"]
        assert sample.reward == expected(row, sample.response, finished=finished)
    assert len(seen) == PROMPTS_PER_STEP * STEPS


def test_form_and_ties_arrive_in_the_log_of_the_trainer(run: Training) -> None:
    metrics = run.metrics()
    for name in ("readable", "tie", "criteria_sum", "criteria_count"):
        means = [statistics.fmean(one.logs[f"outcome/{name}"] for one in u) for u in run.updates()]
        assert metrics[f"train/outcome/{name}"] == pytest.approx(means, rel=1e-3)
    assert len(metrics["train/kl"]) == STEPS
