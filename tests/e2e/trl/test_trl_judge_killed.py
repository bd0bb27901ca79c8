"""A judge in a process of its own is killed while the real trainer runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trl
from transformers import TrainerCallback

from grm_plugin.errors import JudgeDeadError
from grm_trl import GRMReward
from tests.e2e.openrlhf.judge_process import JudgeProcess
from tests.e2e.trl.test_trl_trainers import SMALL, rows


@pytest.fixture
def judge_process() -> Iterator[JudgeProcess]:
    with JudgeProcess() as judge:
        judge.start()
        yield judge


class After(TrainerCallback):
    """Does something after a step of this number."""

    def __init__(self, acts: Mapping[int, Callable[[], None]]) -> None:
        self._acts = acts

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._acts.get(state.global_step, lambda: None)()


def trainer_with(
    reward: GRMReward, model: Path, folder: Path, acts: Mapping[int, Callable[[], None]]
) -> trl.GRPOTrainer:
    settings = {**SMALL, "max_steps": 4, "num_generations": 2, "max_completion_length": 5}
    config = trl.GRPOConfig(str(folder), **settings)
    return trl.GRPOTrainer(str(model), reward, config, rows(), callbacks=[After(acts)])


def test_training_goes_on_when_the_judge_is_killed_and_restarted(
    judge_process: JudgeProcess,
    tiny_model: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reward = GRMReward(engine={"url": judge_process.url}, k=2, tries=2)
    acts = {1: judge_process.kill, 2: judge_process.start}
    trainer = trainer_with(reward, tiny_model, tmp_path, acts)
    with caplog.at_level(logging.WARNING, "grm_trl"):
        trainer.train()
    reward.close()
    logs = [log for log in trainer.state.log_history if "grm/abstain_rate" in log]
    assert [log["grm/abstain_rate"] for log in logs] == [0.0, 1.0, 0.0, 0.0]
    assert [log["grm/dropped_transport"] for log in logs] == [0.0, 1.0, 0.0, 0.0]
    assert logs[1]["loss"] == pytest.approx(0.0, abs=1e-6)
    assert "2 of 2 groups have no reward" in caplog.text
    assert judge_process.url in caplog.text


def test_a_judge_that_is_killed_for_good_ends_training_with_its_address(
    judge_process: JudgeProcess, tiny_model: Path, tmp_path: Path
) -> None:
    patience = {"tries": 2, "dead_groups": 3, "dead_after_s": 0}
    reward = GRMReward(engine={"url": judge_process.url}, k=2, **patience)
    trainer = trainer_with(reward, tiny_model, tmp_path, {1: judge_process.kill})
    with pytest.raises(JudgeDeadError, match=rf"groups in a row .*{judge_process.url}"):
        trainer.train()
    reward.close()
    assert trainer.state.global_step == 2
