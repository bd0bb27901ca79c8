"""k grows during real training: by step, by reward, after a resume, on every rank alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from trl import GRPOConfig, GRPOTrainer

from grm_plugin.engine import SampleRequest
from grm_plugin.plugins import Plugins
from grm_plugin.records import read_verdicts
from grm_plugin.testing import scripted
from grm_trl import GRMReward
from tests.e2e.trl.test_trl_ranks import run_ranks
from tests.e2e.trl.test_trl_trainers import SMALL, rows, train

BY_STEP = {"by": "step", "stages": [{"step": 0, "k": 1}, {"step": 2, "k": 3}]}
# no reward rises by 2, so each size gets the least number of steps, which is 2
BY_REWARD = {
    "by": "saturation",
    "window": 1,
    "rise": 2.0,
    "sizes": [{"k": 1}, {"k": 2}, {"k": 3}],
}


def ks(log: list[dict[str, Any]]) -> list[float]:
    """k of every training step in a trainer's log."""
    return [entry["grm/k"] for entry in log if "grm/k" in entry]


def grpo(
    model: Path, folder: Path, judge: Plugins, schedule: Mapping[str, Any], **more: Any
) -> GRPOTrainer:
    reward = GRMReward(engine="shown", schedule=schedule, plugins=judge)
    settings = {**SMALL, "num_generations": 2, "max_completion_length": 5, **more}
    config = GRPOConfig(str(folder), **settings)
    return GRPOTrainer(str(model), reward, config, rows(), eval_dataset=rows(["red sun ?"] * 4))


def test_a_step_schedule_follows_the_steps_of_the_trainer(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    trainer = grpo(tiny_model, tmp_path, judge, BY_STEP, max_steps=4)
    trainer.train()
    assert ks(trainer.state.log_history) == [1, 1, 3, 3]


def test_online_dpo_tells_its_step_too(tiny_model: Path, tmp_path: Path, judge: Plugins) -> None:
    record = tmp_path / "verdicts.jsonl"
    reward = GRMReward(engine="shown", schedule=BY_STEP, record=record, plugins=judge)
    more = {"max_new_tokens": 5, "max_length": 64, "max_steps": 3}
    train("trl.experimental.online_dpo", "OnlineDPO", tiny_model, tmp_path, reward, rows(), **more)
    ks_by_step = {
        verdict.group.metadata["step"]: verdict.origin["k"] for verdict in read_verdicts(record)
    }
    assert ks_by_step == {0: 1, 1: 1, 2: 3}


def test_a_saturation_schedule_counts_training_steps_also_over_a_resume_and_not_evaluations(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    more = {
        "save_strategy": "steps",
        "save_steps": 3,
        "eval_strategy": "steps",
        "eval_steps": 1,
        "per_device_eval_batch_size": 4,
    }
    trainer = grpo(tiny_model, tmp_path, judge, BY_REWARD, max_steps=3, **more)
    trainer.train()
    assert ks(trainer.state.log_history) == [1, 1, 2]
    resumed = grpo(tiny_model, tmp_path, judge, BY_REWARD, max_steps=6, **more)
    resumed.train(resume_from_checkpoint=True)
    log = resumed.state.log_history
    assert ks(log) == [1, 1, 2, 2, 3, 3]
    assert [entry["eval_grm/k"] for entry in log if "eval_grm/k" in entry] == [8] * 6


BY_RELIABILITY = {"by": "reliability", "window": 2, "sizes": [{"k": 2}, {"k": 3}]}


def unsure(request: SampleRequest, i: int) -> str:
    """Votes that scatter and say nothing of the responses."""
    return "\\boxed{3, 3}" if request.first % 2 else "\\boxed{9, 9}"


def test_k_follows_the_reliability_that_the_trainer_logs_also_over_a_resume(
    tiny_model: Path, tmp_path: Path
) -> None:
    def trained(steps: int, **resume: bool) -> list[dict[str, Any]]:
        settings = {"engine": "scripted", "duplicates": "keep", "schedule": BY_RELIABILITY}
        reward = GRMReward(plugins=scripted(unsure), **settings)
        more = {"max_steps": steps, "save_strategy": "steps", "save_steps": 3}
        config = GRPOConfig(
            str(tmp_path), **{**SMALL, "num_generations": 2, "max_completion_length": 5, **more}
        )
        trainer = GRPOTrainer(str(tiny_model), reward, config, rows())
        trainer.train(**resume)
        log: list[dict[str, Any]] = trainer.state.log_history
        return log

    log = trained(3)
    assert ks(log) == [2, 2, 3]
    assert all(entry["grm/reliability"] <= 0 for entry in log if "grm/k" in entry)
    assert ks(trained(5, resume_from_checkpoint=True)) == [2, 2, 3, 3, 3]


def test_steps_that_reuse_a_generation_do_not_count_as_steps_with_a_reward(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    trainer = grpo(tiny_model, tmp_path, judge, BY_REWARD, max_steps=6, steps_per_generation=2)
    trainer.train()
    assert ks(trainer.state.log_history) == [1, 1, 2]


@pytest.mark.parametrize("groups", ["gather", "local"])
def test_all_ranks_judge_with_the_same_k(
    groups: str, tiny_model: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    config = {
        **SMALL,
        "num_generations": 4,
        "per_device_train_batch_size": 2,
        "max_completion_length": 5,
        "max_steps": 4,
    }
    settings = {
        "model": str(tiny_model),
        "prompts": ["red cat ?", "blue dog ?", "one sun ?", "two moon ?"],
        "reward": {"engine": "shown", "schedule": BY_REWARD, "groups": groups},
        "config": config,
    }
    (tmp_path / "train.json").write_text(json.dumps(settings))
    seen = run_ranks(2, "train", tmp_path, environment)
    assert [[call["metrics"]["k"] for call in calls] for calls in seen] == [[1, 1, 2, 2]] * 2
