"""A scalar RM is refreshed beside a real training, from what the judge says in it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, LlamaForSequenceClassification, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from grm_plugin import GRMConfig
from grm_plugin.plugins import Plugins
from grm_plugin.records import read_verdicts
from grm_plugin.spct.refresh_process import refreshing
from grm_trl import GRMReward
from tests.e2e.trl.test_trl_trainers import SMALL, rows

WAIT_S = 200.0


class _WaitForVersion(TrainerCallback):
    """Goes on after a step once there is a version that the refresh has trained."""

    def __init__(self, current: Path, step: int) -> None:
        self._current, self._step = current, step

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        until = time.monotonic() + WAIT_S
        while state.global_step == self._step and self._current.resolve().name == "version-0000":
            assert time.monotonic() < until, "no version was made of what the judge said"
            time.sleep(0.05)


def test_rewards_come_from_the_version_that_the_runs_own_verdicts_made(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    base, current = tmp_path / "base", tmp_path / "made" / "current"
    LlamaForSequenceClassification.from_pretrained(tiny_model, num_labels=1).save_pretrained(base)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(base)
    classifier = {"name": "transformers", "model": str(current), "reload": True}
    settings: dict[str, Any] = {
        "record": tmp_path / "verdicts.jsonl",
        "scalar": {"use": "vote", "weight": 2, "classifier": classifier},
    }
    reward = GRMReward(engine="shown", k=2, plugins=judge, **settings)
    quick = ("--every", "4", "--batch", "4", "--device-batch", "4", "--poll-s", "0.05")
    more = {**SMALL, "num_generations": 4, "max_completion_length": 5, "max_steps": 8}
    trainer = GRPOTrainer(str(tiny_model), reward, GRPOConfig(str(tmp_path), **more), rows())
    trainer.add_callback(_WaitForVersion(current, step=6))
    with refreshing(GRMConfig(**settings), str(base), options=[*quick, "--validation", "0"]):
        trainer.train()
    told = [one.origin["scalar_version"] for one in read_verdicts(settings["record"])]
    assert told == sorted(told) and told[0] == "version-0000" < told[-1]
    assert all(one.scored for one in read_verdicts(settings["record"]))
