"""Two real ranks, and a judge that takes longer than torch's collectives may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.trl.test_trl_ranks import run_ranks
from tests.e2e.trl.test_trl_trainers import PROMPTS, SMALL


def test_the_deadline_of_a_batch_ends_before_the_ddp_timeout_and_training_goes_on(
    tiny_model: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    slow = {"name": "shown", "delay_s": 600}
    sizes = {"num_generations": 4, "per_device_train_batch_size": 2, "max_completion_length": 5}
    settings = {
        "model": str(tiny_model),
        "prompts": PROMPTS,
        "reward": {"engine": slow, "k": 2, "batch_timeout_s": 1, "dead_groups": 1000},
        "config": {**SMALL, **sizes, "ddp_timeout": 60},
    }
    (tmp_path / "train.json").write_text(json.dumps(settings))
    for calls in run_ranks(2, "train", tmp_path, environment):
        assert [call["rewards"] for call in calls] == [[None, None]] * 2
        assert [call["metrics"]["dropped_timeout"] for call in calls] == [1.0, 1.0]
