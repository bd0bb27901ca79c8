"""Real trainings with a scalar RM in front of the judge, and with it alone."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification
from trl import GRPOConfig, GRPOTrainer

from grm_plugin.plugins import Plugins
from grm_plugin.records import read_verdicts
from grm_trl import GRMReward
from tests.e2e.trl.test_trl_trainers import SMALL, rows

TRAINING = {**SMALL, "num_generations": 4, "max_completion_length": 5}


@pytest.fixture(scope="module")
def scalar_rm(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random scalar RM that reads with the policy's tokenizer."""
    folder = tmp_path_factory.mktemp("scalar")
    config = LlamaConfig.from_pretrained(tiny_model, num_labels=1, initializer_range=1.0)
    torch.manual_seed(1)
    LlamaForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder)
    return folder


def trained(tiny_model: Path, tmp_path: Path, reward: GRMReward) -> list[dict[str, float]]:
    """The log of a short training."""
    config = GRPOConfig(str(tmp_path / "out"), **{**TRAINING, "log_completions": True})
    trainer = GRPOTrainer(str(tiny_model), reward, config, rows())
    trainer.train()
    reward.close()
    return [entry for entry in trainer.state.log_history if "grm/reward_mean" in entry]


def test_a_cascade_trains_and_its_shares_stand_in_the_log(
    tiny_model: Path, scalar_rm: Path, tmp_path: Path, judge: Plugins
) -> None:
    record = tmp_path / "verdicts.jsonl"
    section = {
        "classifier": {"name": "transformers", "model": str(scalar_rm)},
        **{"use": "cascade", "sure": 0.55, "audit": 0.3},
    }
    settings = {"engine": "shown", "k": 2, "record": record, "plugins": judge}
    log = trained(tiny_model, tmp_path, GRMReward(scalar=section, **settings))
    verdicts = list(read_verdicts(record))
    scalars = [one.scalar for one in verdicts if one.scalar]
    assert len(scalars) == len(verdicts) and {one.judged for one in scalars} == {True, False}
    for one in verdicts:
        assert one.scored and bool(one.judgments) == one.scalar.judged
        if not one.scalar.judged:
            assert one.rewards == one.scalar.votes
    shares = [entry["grm/judged_rate"] for entry in log]
    assert all(0 <= share <= 1 for share in shares) and any(share < 1 for share in shares)
    assert [entry["grm/sure_threshold"] for entry in log] == pytest.approx([0.55] * len(log))
    assert all(0.5 <= entry["grm/sureness"] <= 1 for entry in log)


def test_a_scalar_rm_alone_trains_without_a_judge(
    tiny_model: Path, scalar_rm: Path, tmp_path: Path
) -> None:
    record = tmp_path / "verdicts.jsonl"
    classifier = {"name": "transformers", "model": str(scalar_rm)}
    reward = GRMReward(scalar={"classifier": classifier, "use": "alone"}, record=record)
    log = trained(tiny_model, tmp_path, reward)
    verdicts = list(read_verdicts(record))
    assert all(one.scored and not one.judgments for one in verdicts)
    assert all(entry["grm/judged_rate"] == 0.0 for entry in log)
    assert all(not math.isnan(entry["reward"]) and 0 <= entry["reward"] <= 1 for entry in log)
