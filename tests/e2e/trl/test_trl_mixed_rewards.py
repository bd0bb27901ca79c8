"""Beside another reward: what the judge leaves unscored moves nothing in the real trainers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from transformers import (
    AutoTokenizer,
    LlamaConfig,
    LlamaForSequenceClassification,
)

from grm_plugin.errors import ConfigError
from grm_plugin.plugins import Plugins
from grm_trl import AsyncGRMReward, GRMReward, abstaining
from tests.e2e.trl.test_trl_trainers import SMALL

torch = pytest.importorskip("torch")

PROMPTS = ["red cat ?", "blue dog ?", "one sun ?"]
N = 4
AWAY = {"engine": {"name": "shown", "away_for": "dog"}, "k": 2}
ONE_STEP = {
    **SMALL,
    "per_device_train_batch_size": N * len(PROMPTS),
    "max_steps": 1,
    "num_generations": N,
    "max_completion_length": 5,
    "beta": 0.0,
}


def length(completions: Sequence[str], **_: Any) -> list[float]:
    """A reward that has something to say of every completion."""
    return [len(text) / 10 for text in completions]


async def awaited_length(completions: Sequence[str], **_: Any) -> list[float]:
    return length(completions)


class Seen:
    """Rewards and advantages of the one step, a row for each completion."""

    def __init__(self, trainer: Any) -> None:
        logs = trainer._logs
        self.prompts = list(logs["prompt"])
        self.rewards = torch.tensor([list(column) for column in logs["rewards"].values()])
        self.advantages = torch.tensor(list(logs["advantages"]))
        self.unscored = torch.tensor(["dog" in str(prompt) for prompt in self.prompts])


def train(model: Path, folder: Path, rewards: Any, trainer: str = "trl.GRPO", **more: Any) -> Seen:
    module, _, name = trainer.rpartition(".")
    found = importlib.import_module(module)
    config = getattr(found, f"{name}Config")(str(folder / "out"), **{**ONE_STEP, **more})
    made = getattr(found, f"{name}Trainer")(
        model=str(model),
        reward_funcs=rewards,
        args=config,
        train_dataset=Dataset.from_dict({"prompt": PROMPTS}),
        processing_class=AutoTokenizer.from_pretrained(model, padding_side="left"),
    )
    made.train()
    return Seen(made)


def of_scored_alone(seen: Seen, weights: Sequence[float], scale: str) -> Any:
    """The advantages of the scored groups, as if there were no others."""
    columns = seen.rewards[:, ~seen.unscored]
    rewards = (columns * torch.tensor(weights)[:, None]).sum(0).view(-1, N)
    centred = rewards - rewards.mean(1, keepdim=True)
    if scale == "leave one out":
        return (centred * N / (N - 1)).flatten()
    spread = {"group": rewards.std(1, keepdim=True), "batch": rewards.std(), "none": None}[scale]
    return (centred if spread is None else centred / (spread + 1e-4)).flatten()


def assert_only_scored_groups_move(seen: Seen, weights: Sequence[float], scale: str) -> None:
    assert seen.unscored.sum() == N
    assert seen.rewards[:, seen.unscored].isnan().all()
    assert (seen.advantages[seen.unscored] == 0).all()
    expected = of_scored_alone(seen, weights, scale)
    assert expected.abs().max() > 0.01
    assert seen.advantages[~seen.unscored].tolist() == pytest.approx(expected.tolist(), abs=2e-4)


@pytest.mark.parametrize("weights", [[1.0, 1.0], [0.3, 2.0]], ids=["equal", "weighted"])
@pytest.mark.parametrize(
    ("trainer", "scale"),
    [
        ("trl.GRPO", "group"),
        ("trl.GRPO", "batch"),
        ("trl.GRPO", "none"),
        ("trl.RLOO", "leave one out"),
        ("trl.experimental.gmpo.GMPO", "batch"),
    ],
)
def test_an_unscored_group_has_no_advantage_and_the_others_are_those_of_the_scored_alone(
    trainer: str,
    scale: str,
    weights: list[float],
    tiny_model: Path,
    tmp_path: Path,
    judge: Plugins,
) -> None:
    more = {} if scale == "leave one out" else {"scale_rewards": scale}
    rewards = [GRMReward(plugins=judge, **AWAY), length]
    seen = train(tiny_model, tmp_path, rewards, trainer, reward_weights=weights, **more)
    assert_only_scored_groups_move(seen, weights, scale)


def test_rewards_that_are_normalised_before_they_are_summed_abstain_as_well(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    rewards = [GRMReward(plugins=judge, **AWAY), length]
    seen = train(tiny_model, tmp_path, rewards, multi_objective_aggregation="normalize_then_sum")
    assert (seen.advantages[seen.unscored] == 0).all()
    assert seen.advantages[~seen.unscored].abs().max() > 0.1


def test_without_it_the_other_reward_alone_would_train_an_unscored_group(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    rewards = [GRMReward(plugins=judge, others="train", **AWAY), length]
    seen = train(tiny_model, tmp_path, rewards)
    assert seen.advantages[seen.unscored].abs().max() > 1


class Missing:
    """A judge without a reward for one completion of each group."""

    __name__, leads = "grm", True

    def __call__(self, completions: Sequence[str], **_: Any) -> list[float | None]:
        return [None if i % N == 1 else i % N / N for i in range(len(completions))]


def test_a_single_response_without_a_reward_is_left_out_of_its_group(
    tiny_model: Path, tmp_path: Path
) -> None:
    seen = train(tiny_model, tmp_path, abstaining([length, Missing()]), scale_rewards="none")
    rewards = seen.rewards.sum(0).view(-1, N)
    assert rewards.isnan().tolist() == [[False, True, False, False]] * 3
    centred = rewards - rewards.nanmean(1, keepdim=True)
    assert seen.advantages.tolist() == pytest.approx(centred.nan_to_num(0).flatten().tolist())


def reward_model(model: Path) -> Any:
    """A random reward model over the policy's words, with its name in TRL's metrics."""
    size = LlamaConfig.from_pretrained(model, num_labels=1)
    torch.manual_seed(1)
    made = LlamaForSequenceClassification(size)
    made.config._name_or_path = str(model)
    return made


Made = Callable[..., list[Any]]


def grm(judge: Plugins, **more: Any) -> Any:
    return GRMReward(plugins=judge, **{**AWAY, **more})


def async_grm(judge: Plugins, **more: Any) -> Any:
    return AsyncGRMReward(plugins=judge, **{**AWAY, **more})


@pytest.mark.parametrize(
    "made",
    [
        lambda judge: [grm(judge), awaited_length],
        lambda judge: [grm(judge), partial(length)],
        lambda judge: [grm(judge), grm(judge, name="second", seed=1)],
        lambda judge: abstaining([length, grm(judge)]),
        lambda judge: abstaining([awaited_length, grm(judge)]),
        lambda judge: abstaining([length, async_grm(judge)]),
        lambda judge: abstaining([async_grm(judge), awaited_length]),
        lambda judge: abstaining([async_grm(judge), grm(judge, name="second", seed=1)]),
    ],
    ids=[
        *("async", "partial", "two judges", "by hand", "async by hand"),
        *("async judge", "all async", "two kinds of judges"),
    ],
)
def test_every_order_and_kind_of_reward_abstains(
    made: Made, tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    seen = train(tiny_model, tmp_path, made(judge), scale_rewards="none")
    assert_only_scored_groups_move(seen, [1.0, 1.0], "none")


@pytest.mark.parametrize("made", [list, abstaining], ids=["by itself", "by hand"])
def test_a_reward_model_behind_the_judge_abstains_with_it(
    made: Made, tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    rewards = made([grm(judge), reward_model(tiny_model)])
    seen = train(tiny_model, tmp_path, rewards, scale_rewards="none")
    assert_only_scored_groups_move(seen, [1.0, 1.0], "none")


def test_a_reward_model_that_is_named_abstains_as_soon_as_it_is_loaded(
    tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    reward_model(tiny_model).save_pretrained(tmp_path / "rm")
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(tmp_path / "rm")
    rewards = abstaining([length, str(tmp_path / "rm"), grm(judge)])
    seen = train(tiny_model, tmp_path, rewards, scale_rewards="none")
    assert_only_scored_groups_move(seen, [1.0, 1.0, 1.0], "none")


@pytest.mark.parametrize(
    ("made", "early"),
    [
        (lambda judge, _: [length, grm(judge)], "'length'"),
        (
            lambda judge, model: [length, reward_model(model), grm(judge)],
            "'length', 'LlamaForSequenceClassification'",
        ),
        (lambda judge, _: [async_grm(judge), length], "'length'"),
        (
            lambda judge, model: abstaining([reward_model(model), grm(judge)]),
            "'LlamaForSequenceClassification'",
        ),
        (
            lambda judge, model: abstaining([async_grm(judge), reward_model(model)]),
            "'LlamaForSequenceClassification'",
        ),
    ],
)
def test_a_reward_that_trl_asks_too_early_is_refused_before_anything_is_judged(
    made: Made, early: str, tiny_model: Path, tmp_path: Path, judge: Plugins
) -> None:
    with pytest.raises(ConfigError, match=rf"TRL asks {early} before the judge 'grm'.*put a GRM"):
        train(tiny_model, tmp_path, made(judge, tiny_model))


def test_a_judge_inside_another_reward_is_told_of_once(
    tiny_model: Path, tmp_path: Path, judge: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = grm(judge)

    def halved(**call: Any) -> list[float | None]:
        return [None if reward is None else reward / 2 for reward in hidden(**call)]

    train(tiny_model, tmp_path, [halved, length], max_steps=2)
    assert caplog.text.count("another reward calls this one") == 1
