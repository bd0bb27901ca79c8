"""A run of the co-scaling study's command for OpenRLHF, with its own cluster: one rollout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from grm_plugin.reference.policy import write_prompts
from recipes.coscaling import measure, openrlhf
from recipes.coscaling.figures.runs import read_run
from recipes.coscaling.plan import HERE, kept_folder, kept_steps, plan

PROMPTS, RESPONSES = 32, 128  # of a rollout, as the recipe says


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    prompts = write_prompts(folder / "prompts", PROMPTS + 8, seed=3)
    out = folder / "grm" / "1"
    _run(prompts, out)
    return out


def _run(prompts: Path, out: Path) -> None:
    judge = f"{HERE}/arms/unwatched_k8.yaml"
    openrlhf.main(judge, prompts, out, seed=1, rounds=1, set_=["k=1"])


def test_it_leaves_the_weights_before_and_after(run: Path) -> None:
    steps = kept_steps(run)
    assert steps == [0, plan().updates]
    before, after = (load_file(kept_folder(run, step) / "model.safetensors") for step in steps)
    assert before.keys() <= after.keys()  # tied weights may be saved twice
    assert any((before[name] != after[name].to(before[name].dtype)).any() for name in before)


def test_it_leaves_what_the_round_was_worth(run: Path) -> None:
    (row,) = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    assert row["step"] == plan().updates
    assert 0 <= row["true_quality"] <= 1
    assert 0 < row["reward"] < 1
    assert row["flops"] > 0 and row["tokens"] > 0
    assert row["grm/k"] == 1


def test_what_fails_after_the_training_does_not_cost_the_training(run: Path) -> None:
    told = (run / "metrics.jsonl").read_text()
    (run / "metrics.jsonl").unlink()
    log = (run / "log.txt").stat().st_mtime_ns
    _run(run.parents[1] / "prompts" / "train.jsonl", run)
    assert (run / "metrics.jsonl").read_text() == told
    assert (run / "log.txt").stat().st_mtime_ns == log


def test_it_is_measured_as_a_run_of_trl_is(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: one.model_copy(update={"number": 4}) for name, one in plan().queries.items()}
    small = plan().model_copy(update={"queries": few})
    monkeypatch.setattr(measure, "plan", lambda _: small)
    truth = run.with_name("truth.json")
    measure.main(run, truth)
    found = read_run(run, truth, edge=1, responses=RESPONSES)
    assert (found.seed, found.steps_P) == (1, [0, plan().updates])
    assert found.spent_P["flops"][-1] > 0
