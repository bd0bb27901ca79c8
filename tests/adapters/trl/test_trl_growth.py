"""Which k a reward call gets: by the step, or by the rewards the trainer has logged."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from grm_plugin.errors import ConfigError
from grm_plugin.testing import ScriptedEngine
from grm_trl import GRMReward, growth

Make = Callable[..., GRMReward]
TWO = {"prompts": ["p", "p"], "completions": ["x", "y"]}
BY_STEP = {"by": "step", "stages": [{"step": 0, "k": 1}, {"step": 3, "k": 4}]}
BY_REWARD = {"by": "saturation", "window": 2, "rise": 0.05, "sizes": [{"k": 1}, {"k": 4}]}


class Trainer:
    """What a reward call says of a trainer, and what that logs."""

    def __init__(self, logging_strategy: str = "steps") -> None:
        self.args = SimpleNamespace(logging_strategy=logging_strategy)
        self.model = SimpleNamespace(training=True)
        self.state = SimpleNamespace(global_step=0, log_history=[])
        self.numbers: dict[str, float] = {}

    def log_extra(self, column: str, values: list[Any]) -> None: ...

    def call(self, reward: GRMReward) -> Any:
        log = {"log_extra": self.log_extra, "log_metric": self.numbers.__setitem__}
        return reward(**TWO, trainer_state=self.state, **log)

    def train(self, *values: float | None, metric: str = "reward_mean") -> None:
        """Steps, logged with these values of a metric."""
        for value in values:
            self.state.global_step += 1
            entry = {"step": self.state.global_step, "loss": 0.0, f"grm/{metric}": value}
            self.state.log_history.append(entry)


def test_k_follows_the_trainers_step(make: Make, engine: ScriptedEngine) -> None:
    reward, trainer, drawn = make(schedule=BY_STEP), Trainer(), []
    for trainer.state.global_step in (0, 2, 3, 3, 1):  # the last as after going back
        engine.requests.clear()
        trainer.call(reward)
        drawn.append(len(engine.requests))
        assert trainer.numbers["grm/k"] == drawn[-1]
    assert drawn == [1, 1, 4, 4, 1]


def test_k_grows_when_the_logged_rewards_stop_rising(make: Make) -> None:
    reward, trainer, seen = make(schedule=BY_REWARD), Trainer(), []
    for mean in (0.1, 0.4, 0.5, 0.5, 0.5, 0.5):
        trainer.call(reward)
        trainer.call(reward)  # a step of several calls is still one step
        seen.append(trainer.numbers["grm/k"])
        trainer.train(mean)
    assert seen == [1, 1, 1, 1, 1, 4]


def test_a_new_object_goes_on_where_the_trainers_log_is(make: Make) -> None:
    trainer = Trainer()
    trainer.train(0.5, 0.5, 0.5, 0.5)
    trainer.state = pickle.loads(pickle.dumps(trainer.state))
    trainer.call(make(schedule=BY_REWARD))
    assert trainer.numbers["grm/k"] == 4


BY_RELIABILITY = {"by": "reliability", "window": 2, "sizes": [{"k": 2}, {"k": 4}, {"k": 8}]}


def test_k_follows_the_reliability_that_was_logged_also_in_a_new_object(make: Make) -> None:
    trainer, seen = Trainer(), []
    for reliability in (0.2, 0.2, None, 0.9, 0.9):
        trainer.call(make(schedule=BY_RELIABILITY))
        seen.append(trainer.numbers["grm/k"])
        trainer.train(reliability, metric="reliability")
    trainer.call(make(schedule=BY_RELIABILITY))
    assert [*seen, trainer.numbers["grm/k"]] == [2, 2, 8, 8, 8, 2]


def test_the_reliability_of_a_sample_is_logged_where_samples_tell_it(make: Make) -> None:
    trainer = Trainer()
    trainer.call(make(k=1))
    assert "grm/reliability" not in trainer.numbers
    trainer.call(make(lambda request, i: r"\boxed{9, 3}", shuffle="independent", k=8, seed=2))
    assert trainer.numbers["grm/reliability"] < 1


def test_evaluations_are_judged_with_the_configured_k(make: Make) -> None:
    reward, trainer = make(schedule=BY_STEP, k=2), Trainer()
    trainer.model.training = False
    trainer.call(reward)
    assert trainer.numbers["grm/k"] == 2


def test_evaluations_and_the_summary_of_the_run_do_not_count(make: Make) -> None:
    trainer = Trainer()
    trainer.train(0.5, 0.5)
    for extra in ({"eval_loss": 0, "eval_grm/reward_mean": 0.5}, {"train_loss": 0.1}):
        trainer.state.log_history += [{"step": 2, **extra}] * 9
    trainer.call(make(schedule=BY_REWARD))
    assert trainer.numbers["grm/k"] == 1


@pytest.mark.parametrize(
    ("log", "means"),
    [
        ([], []),
        ([(1, 0.1), (2, 0.2)], [0.1, 0.2]),
        ([(1, 0.1), (4, 0.2), (4, 0.9)], [0.1, 0.2, 0.2, 0.2]),
        ([(2, 0.1), (4, None), (5, math.nan)], [0.1, 0.1, math.nan, math.nan, math.nan]),
    ],
)
def test_there_is_one_mean_for_each_step_however_far_apart_the_log_entries_are(
    log: Sequence[tuple[int, float | None]], means: list[float]
) -> None:
    entries = [{"step": step, "loss": 0.0, "grm/reward_mean": mean} for step, mean in log]
    assert growth.by_step(entries, "grm/reward_mean") == pytest.approx(means, nan_ok=True)


def test_k_meta_is_known_in_every_step_when_any_stage_sets_it_and_logged_where_it_is_set(
    make: Make,
) -> None:
    stages = [{"step": 0, "k": 1}, {"step": 1, "k": 4, "k_meta": 3}]
    reward = make(schedule={"by": "step", "stages": stages}, select="meta_rm")
    trainer, known, logged = Trainer(), [], []
    for trainer.state.global_step in (0, 1):
        trainer.call(reward)
        known.append(reward.metrics["k_meta"])
        logged.append(trainer.numbers.get("grm/k_meta"))
    assert known == pytest.approx([math.nan, 3], nan_ok=True)
    assert logged == [None, 3]


def test_without_a_schedule_the_configured_k_is_logged_and_no_k_meta(make: Make) -> None:
    trainer = Trainer()
    trainer.call(make(k=2))
    assert trainer.numbers["grm/k"] == 2
    assert "grm/k_meta" not in trainer.numbers


@pytest.mark.parametrize(
    ("schedule", "call", "said"),
    [
        (BY_STEP, {}, "schedule: this trainer does not tell its step"),
        (
            BY_REWARD,
            {"trainer_state": SimpleNamespace(global_step=0, log_history=[])},
            r"by saturation goes by the metric grm/reward_mean that the trainer logs.*\{by: step\}",
        ),
        (
            BY_REWARD,
            {
                "trainer_state": SimpleNamespace(global_step=0, log_history=[]),
                "log_metric": print,
                "log_extra": Trainer("no").log_extra,
            },
            "logging_strategy is not 'no'",
        ),
    ],
)
def test_a_trainer_that_does_not_tell_what_the_schedule_needs_is_refused(
    schedule: dict[str, Any],
    call: dict[str, Any],
    said: str,
    make: Make,
    engine: ScriptedEngine,
) -> None:
    with pytest.raises(ConfigError, match=said):
        make(schedule=schedule)(**TWO, **call)
    assert not engine.requests
