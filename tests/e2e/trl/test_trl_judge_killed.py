"""A judge in a process of its own is killed while the real trainer runs."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trl
from transformers import TrainerCallback

from grm_plugin.errors import JudgeDeadError
from grm_trl import GRMReward
from tests.e2e.openrlhf.judge_process import JudgeProcess
from tests.e2e.trl.test_trl_ranks import STEP, run_ranks
from tests.e2e.trl.test_trl_trainers import SMALL, rows
from tests.faults.conftest import LONG

AWAY_S = 60.0 if LONG else 8.0
STEPS = 6


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


def test_training_goes_on_without_the_groups_of_an_outage_longer_than_the_patience(
    judge_process: JudgeProcess,
    tiny_model: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reward = GRMReward(engine={"url": judge_process.url}, k=2, request_timeout_s=1)
    acts = {1: judge_process.kill, 2: judge_process.start}
    trainer = trainer_with(reward, tiny_model, tmp_path, acts)
    with caplog.at_level(logging.WARNING, "grm_trl"):
        trainer.train()
    reward.close()
    logs = [log for log in trainer.state.log_history if "grm/unscored_rate" in log]
    assert [log["grm/unscored_rate"] for log in logs] == [0.0, 1.0, 0.0, 0.0]
    assert [log["grm/dropped_transport"] for log in logs] == [0.0, 1.0, 0.0, 0.0]
    assert logs[1]["loss"] == pytest.approx(0.0, abs=1e-6)
    assert "2 of 2 groups have no reward" in caplog.text
    assert judge_process.url in caplog.text


def test_a_judge_that_is_killed_for_good_ends_training_with_its_address(
    judge_process: JudgeProcess, tiny_model: Path, tmp_path: Path
) -> None:
    patience = {"request_timeout_s": 1, "dead_groups": 3, "dead_after_s": 0}
    reward = GRMReward(engine={"url": judge_process.url}, k=2, **patience)
    trainer = trainer_with(reward, tiny_model, tmp_path, {1: judge_process.kill})
    with pytest.raises(JudgeDeadError, match=rf"groups in a row .*{judge_process.url}"):
        trainer.train()
    reward.close()
    assert trainer.state.global_step == 2


@pytest.mark.timeout(400)
def test_a_judge_that_is_away_for_a_while_costs_two_ranks_nothing_but_the_time(
    judge_process: JudgeProcess, tiny_model: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    record = tmp_path / "verdicts.jsonl"
    one_loss_ends_it = {"dead_groups": 1, "dead_after_s": 0, "unscored": "stop"}
    engine = {"url": judge_process.url}
    settings = {
        "model": str(tiny_model),
        "prompts": ["red one", "blue two", "green cat", "sun moon"],
        "reward": {"engine": engine, "k": 2, "record": str(record), **one_loss_ends_it},
        "config": {
            **STEP,
            "per_device_train_batch_size": 2,
            "num_generations": 4,
            "max_steps": STEPS,
        },
    }
    (tmp_path / "train.json").write_text(json.dumps(settings))
    judge_process.kill()
    judge_process.start(pause_s=0.3)
    outage = threading.Thread(target=away, args=(judge_process, tmp_path))
    outage.start()
    started = time.monotonic()
    seen = run_ranks(2, "train", tmp_path, environment)
    outage.join()
    assert time.monotonic() - started > AWAY_S
    for calls in seen:
        assert len(calls) == STEPS
        assert all(isinstance(reward, float) for call in calls for reward in call["rewards"])
        assert {call["metrics"]["unscored_rate"] for call in calls} == {0.0}
        assert max(call["metrics"]["seconds"] for call in calls) > AWAY_S - 5


def away(judge: JudgeProcess, folder: Path) -> None:
    """Kills the judge after its first verdicts, and starts it ``AWAY_S`` later."""
    while not any(file.stat().st_size for file in folder.glob("verdicts.jsonl*")):
        time.sleep(0.05)
    judge.kill()
    time.sleep(AWAY_S)
    judge.start()
