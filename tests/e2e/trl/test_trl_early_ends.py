"""Groups of a real training end early, each after as many samples as it needs."""

from __future__ import annotations

import statistics
from pathlib import Path

from trl import GRPOConfig, GRPOTrainer

from grm_plugin.plugins import Plugins
from grm_plugin.records import read_verdicts
from grm_trl import GRMReward
from tests.e2e.trl.test_trl_trainers import SMALL, rows

RANKING = {"name": "ranking", "error": 0.2}


def test_a_training_draws_fewer_samples_and_rewards_are_the_votes_of_those(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    record = tmp_path / "verdicts.jsonl"
    reward = GRMReward(engine="shown", k=16, stop=RANKING, record=record, plugins=judge)
    config = GRPOConfig(
        str(tmp_path / "out"), **{**SMALL, "num_generations": 4, "max_completion_length": 5}
    )
    trainer = GRPOTrainer(str(tiny_model), reward, config, rows())
    trainer.train()
    verdicts = list(read_verdicts(record))
    drawn = [one.drawn for one in verdicts]
    assert min(drawn) >= 4 and max(drawn) <= 16 and any(one.ended_early for one in verdicts)
    log = [entry for entry in trainer.state.log_history if "grm/k_drawn" in entry]
    assert [entry["grm/k"] for entry in log] == [16.0, 16.0]
    assert statistics.fmean(entry["grm/k_drawn"] for entry in log) < 16
    assert all(0 <= entry["grm/early_rate"] <= 1 for entry in log)
    for one in verdicts:
        columns = zip(*(judgment.scores for judgment in one.judgments), strict=True)
        assert one.rewards == tuple((statistics.fmean(column) - 1) / 9 for column in columns)
