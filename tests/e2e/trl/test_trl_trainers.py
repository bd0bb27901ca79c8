"""The same reward object in TRL's trainers, run for real on a tiny random policy."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from datasets import Dataset
from transformers import AutoTokenizer

from grm_plugin.plugins import Plugins
from grm_plugin.records import read_verdicts
from grm_plugin.report.training import steps_of
from grm_trl import AsyncGRMReward, GRMReward

PROMPTS = ["red cat ?", "blue dog ?", "one sun ?", "two moon ?"]
SMALL: dict[str, Any] = {
    "per_device_train_batch_size": 4,
    "max_steps": 2,
    "logging_steps": 1,
    "learning_rate": 1e-3,
    "report_to": "none",
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "save_strategy": "no",
    "disable_tqdm": True,
}


class Recording:
    """A reward that keeps what it was called with and what came back."""

    def __init__(self, reward: GRMReward) -> None:
        self.reward = reward
        self.__name__ = reward.__name__
        self.calls: list[tuple[list[Any], list[Any], list[float | None]]] = []

    def __call__(self, prompts: list[Any], completions: list[Any], **trl: Any) -> Any:
        rewards = self.reward(prompts=prompts, completions=completions, **trl)
        self.calls.append((prompts, completions, rewards))
        return rewards


def train(
    module: str, name: str, model: Path, folder: Path, reward: Any, data: Dataset, **more: Any
) -> Any:
    """Train with ``<name>Trainer`` and ``<name>Config`` of a module of TRL."""
    found = importlib.import_module(module)
    config = getattr(found, f"{name}Config")(str(folder / "out"), **{**SMALL, **more})
    trainer = getattr(found, f"{name}Trainer")(
        model=str(model),
        reward_funcs=[reward],
        args=config,
        train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(model, padding_side="left"),
    )
    trainer.train()
    return trainer


def rows(prompts: Sequence[Any] = PROMPTS, **columns: Sequence[Any]) -> Dataset:
    return Dataset.from_dict({"prompt": list(prompts), **columns})


def assert_whole_groups(recording: Recording, judge: Plugins, sizes: set[int]) -> None:
    """Each prompt's rewards are those of its responses judged alone."""
    alone, seen = GRMReward(engine="shown", k=2, plugins=judge), set()
    for prompts, completions, rewards in recording.calls:
        for prompt in {str(prompt): prompt for prompt in prompts}.values():
            mine = [i for i, other in enumerate(prompts) if other == prompt]
            texts = [completions[i] for i in mine]
            assert alone([prompt] * len(mine), texts) == [rewards[i] for i in mine]
            seen.add(len(mine))
    assert seen == sizes


@pytest.mark.parametrize(
    ("module", "name"), [("trl", "GRPO"), ("trl", "RLOO"), ("trl.experimental.gmpo", "GMPO")]
)
def test_grpo_and_its_kin_train_on_whole_groups_and_log_the_judge(
    module: str, name: str, tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    reward = Recording(GRMReward(engine="shown", k=2, plugins=judge))
    sizes = {"num_generations": 2, "max_completion_length": 5}
    trainer = train(module, name, tiny_model, tmp_path, reward, rows(), **sizes)
    assert_whole_groups(reward, judge, {2})
    logs = [entry for entry in trainer.state.log_history if "grm/reward_mean" in entry]
    assert len(logs) == 2
    for log in logs:
        assert log["grm/reward_mean"] == pytest.approx(log["rewards/grm/mean"], abs=1e-6)
        assert log["grm/valid_rate"] == 1.0
        assert log["grm/tokens_in"] == 2 * 2 * 7
        assert 0 < log["grm/step_share"] <= 1


def test_online_dpo_pairs_are_judged_together_though_they_are_interleaved(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    reward = Recording(GRMReward(engine="shown", k=2, plugins=judge))
    more = {"max_new_tokens": 5, "max_length": 64}
    train("trl.experimental.online_dpo", "OnlineDPO", tiny_model, tmp_path, reward, rows(), **more)
    assert reward.calls[0][0][:4] == reward.calls[0][0][4:]
    assert_whole_groups(reward, judge, {2})


def test_sdpo_trains_on_whole_groups(tiny_model: Path, tmp_path: Path, judge: Plugins) -> None:
    reward = Recording(GRMReward(engine="shown", k=2, plugins=judge))
    more = {"num_generations": 2, "max_completion_length": 5, "distillation_weight": 0.5}
    data = rows([[{"role": "user", "content": prompt}] for prompt in PROMPTS])
    train("trl.experimental.sdpo", "SDPO", tiny_model, tmp_path, reward, data, **more)
    assert_whole_groups(reward, judge, {2})


def test_a2po_judges_its_value_samples_in_groups_and_its_rollouts_alone(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    reward = Recording(GRMReward(engine="shown", k=2, plugins=judge))
    more = {"num_value_samples": 3, "max_completion_length": 5, "filter_all_incorrect": False}
    train("trl.experimental.a2po", "A2PO", tiny_model, tmp_path, reward, rows(), **more)
    assert_whole_groups(reward, judge, {3, 1})


def test_the_async_reward_gives_the_same_rewards(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    record = tmp_path / "verdicts.jsonl"
    reward = AsyncGRMReward(engine="shown", k=2, record=record, plugins=judge)
    sizes = {"num_generations": 2, "max_completion_length": 5}
    trainer = train("trl", "GRPO", tiny_model, tmp_path, reward, rows(), **sizes)
    verdicts = [json.loads(line) for line in record.read_text().splitlines()]
    assert len(verdicts) == 4
    alone = GRMReward(engine="shown", k=2, plugins=judge)
    for verdict in verdicts:
        prompt = verdict["group"]["conversation"][0]["content"]
        assert alone([prompt] * 2, verdict["group"]["responses"]) == verdict["rewards"]
    assert trainer.state.log_history[0]["grm/valid_rate"] == 1.0


def test_chats_columns_and_steps_reach_the_record_and_the_completions_table(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    record = tmp_path / "verdicts.jsonl"
    reward = GRMReward(
        engine="shown", k=2, columns={"reference": "answer"}, record=record, plugins=judge
    )
    chats = [[{"role": "user", "content": prompt}] for prompt in PROMPTS]
    more = {"num_generations": 4, "max_completion_length": 5, "log_completions": True}
    data = rows(chats, answer=["red"] * 4)
    train("trl", "GRPO", tiny_model, tmp_path, reward, data, **more)
    verdicts = [json.loads(line) for line in record.read_text().splitlines()]
    group = verdicts[0]["group"]
    assert group["reference"] == "red"
    assert group["conversation"][0]["role"] == "user"
    assert [verdict["group"]["metadata"]["step"] for verdict in verdicts] == [0, 1]
    table = pd.read_parquet(next(tmp_path.glob("out/completions/*00001.parquet")))
    assert [len(votes.split()) for votes in table["grm_votes"]] == [2] * 4
    assert sorted(table["grm_place"]) == ["1/4", "2/4", "3/4", "4/4"]
    assert "grm_critique" in table


def right(completions: Sequence[str], **_: Any) -> list[float]:
    """Knows how good a completion is."""
    return [len(text) / 40 for text in completions]


def test_a_run_ends_with_its_page_and_picture_and_knows_true_quality(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    record, page = tmp_path / "verdicts.jsonl", tmp_path / "run.html"
    knows = {"truth": f"{__name__}.right", "record": record, "page": page}
    reward = GRMReward(engine="shown", k=2, plugins=judge, **knows)
    sizes = {"num_generations": 4, "max_completion_length": 5}
    trainer = train("trl", "GRPO", tiny_model, tmp_path, reward, rows(), **sizes)
    reward.close()
    logs = [entry for entry in trainer.state.log_history if "grm/truth_mean" in entry]
    found = steps_of(read_verdicts(record))
    assert [found["train", step].quality.value for step in (0, 1)] == pytest.approx(
        [entry["grm/truth_mean"] for entry in logs]
    )
    assert "True quality" in page.read_text()
    assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["GRPO", "RLOO"])
def test_thinking_that_the_chat_template_opened_and_nobody_closed_is_no_answer(
    kind: str, tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    import trl

    record = tmp_path / "verdicts.jsonl"
    tokenizer = AutoTokenizer.from_pretrained(tiny_model, padding_side="left")
    tokenizer.chat_template += "{% if add_generation_prompt %}<think>\n{% endif %}"
    sizes = {"num_generations": 2, "max_completion_length": 5}
    getattr(trl, f"{kind}Trainer")(
        str(tiny_model),
        GRMReward(engine="shown", k=2, record=record, plugins=judge),
        getattr(trl, f"{kind}Config")(str(tmp_path / "out"), **{**SMALL, **sizes, "max_steps": 1}),
        rows([[{"role": "user", "content": prompt}] for prompt in PROMPTS]),
        processing_class=tokenizer,
    ).train()
    verdicts = [json.loads(line) for line in record.read_text().splitlines()]
    assert {response for one in verdicts for response in one["group"]["responses"]} == {""}


def test_two_rewards_log_side_by_side_under_their_own_names(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    import trl

    rewards = [GRMReward(engine="shown", k=k, name=f"k{k}", plugins=judge) for k in (1, 3)]
    config = trl.GRPOConfig(
        str(tmp_path), num_generations=2, max_completion_length=5, log_completions=True, **SMALL
    )
    trainer = trl.GRPOTrainer(str(tiny_model), rewards, config, rows())
    trainer.train()
    log = trainer.state.log_history[0]
    assert log["k1/tokens_in"] * 3 == log["k3/tokens_in"]
    assert {"rewards/k1/mean", "rewards/k3/mean"} <= log.keys()
