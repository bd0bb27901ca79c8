"""What people do wrong and what judges do wrong, against the real GRPO trainer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from grm_plugin.engine import SampleRequest
from grm_plugin.errors import ConfigError, InputError, JudgeDeadError, TransportError
from grm_plugin.plugins import Plugins
from grm_plugin.testing import scripted
from grm_trl import GRMReward, UnscoredError
from tests.e2e.trl import shown_judge
from tests.e2e.trl.test_trl_trainers import PROMPTS, rows, train

GONE = TransportError("connection refused")
SIZES = {"num_generations": 2, "max_completion_length": 5}


def grpo(model: Path, folder: Path, reward: Any, data: Dataset | None = None, **more: Any) -> Any:
    return train("trl", "GRPO", model, folder, reward, data or rows(), **{**SIZES, **more})


def test_a_dead_judge_ends_training_with_its_own_message(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    dead = {"name": "shown", "dead": True}
    reward = GRMReward(engine=dead, k=2, dead_groups=2, dead_after_s=0, plugins=judge)
    with pytest.raises(JudgeDeadError, match=r"groups in a row.*nobody listens there"):
        grpo(tiny_model, tmp_path, reward, max_steps=5)


def test_groups_of_a_judge_that_is_too_slow_abstain_and_training_goes_on(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    slow = {"name": "shown", "delay_s": 60}
    reward = GRMReward(engine=slow, k=2, batch_timeout_s=0.2, plugins=judge)
    started = time.monotonic()
    trainer = grpo(tiny_model, tmp_path, reward)
    assert time.monotonic() - started < 30
    log = trainer.state.log_history[0]
    assert (log["grm/unscored_rate"], log["grm/dropped_timeout"]) == (1.0, 1.0)
    assert log["grm/reward_mean"] is None
    assert log["loss"] == pytest.approx(0.0, abs=1e-6)


def test_a_judge_that_comes_back_costs_only_the_groups_of_its_absence(
    tiny_model: Path, tmp_path: Path
) -> None:
    calls = iter(range(99))

    def absent_in_step_two(request: SampleRequest, i: int) -> str | TransportError:
        there = next(calls) // 4 != 1  # two groups a step, two samples a group
        return shown_judge.judgment(request.messages[-1].content, i) if there else GONE

    reward = GRMReward(engine="scripted", k=2, plugins=scripted(absent_in_step_two))
    trainer = grpo(tiny_model, tmp_path, reward, max_steps=3)
    logs = [log for log in trainer.state.log_history if "grm/unscored_rate" in log]
    assert [log["grm/unscored_rate"] for log in logs] == [0.0, 1.0, 0.0]
    assert [log["grm/dropped_transport"] for log in logs] == [0.0, 1.0, 0.0]


def test_unscored_stop_ends_training_at_the_first_group_without_a_verdict(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    dead = {"name": "shown", "dead": True}
    reward = GRMReward(engine=dead, k=2, unscored="stop", plugins=judge)
    with pytest.raises(UnscoredError, match=r"is unscored: 0 of 2 samples are valid"):
        grpo(tiny_model, tmp_path, reward)


def test_a2po_which_takes_no_none_can_be_stopped_in_time(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    dead = {"name": "shown", "dead": True}
    reward = GRMReward(engine=dead, k=2, unscored="stop", plugins=judge)
    more = {"num_value_samples": 2, "max_completion_length": 5}
    with pytest.raises(UnscoredError, match="is unscored"):
        train("trl.experimental.a2po", "A2PO", tiny_model, tmp_path, reward, rows(), **more)


def test_a_missing_column_is_named_with_those_there_are(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    reward = GRMReward(engine="shown", columns={"reference": "solution"}, plugins=judge)
    with pytest.raises(InputError, match=r"reference: .* no column 'solution'; it has: answer"):
        grpo(tiny_model, tmp_path, reward, rows(answer=["red"] * 4))


def test_a_completions_column_is_refused_by_the_call_itself_naming_the_reward(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    reward = GRMReward(engine="shown", plugins=judge)
    with pytest.raises(TypeError, match=r"GRMReward\(name='grm'.*multiple values.*'completions'"):
        grpo(tiny_model, tmp_path, reward, rows(completions=["red"] * 4))


def test_a_class_in_place_of_the_object_is_explained(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is a class.*name the ready object grm_trl.grm_reward"):
        grpo(tiny_model, tmp_path, GRMReward)


def test_two_rewards_of_one_name_are_refused(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    import trl

    rewards = [GRMReward(engine="shown", k=k, plugins=judge) for k in (1, 2)]
    config = trl.GRPOConfig(str(tmp_path), **SIZES, max_steps=1, report_to="none", use_cpu=True)
    trainer = trl.GRPOTrainer(str(tiny_model), rewards, config, rows(PROMPTS))
    with pytest.raises(ConfigError, match=r"two rewards of this trainer are called 'grm'"):
        trainer.train()
