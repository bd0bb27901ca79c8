"""A run whose judge fails for half of the prompts, in training and in evaluation.

With reinforce, since it compares a response with all others: what a group without a reward gets
instead would move the policy.
"""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.reference.policy import write_prompts
from grm_plugin.types import Verdict
from tests.e2e.openrlhf.judge_process import JudgeProcess
from tests.e2e.openrlhf.trainer import (
    LAUNCHER,
    PROMPTS_PER_STEP,
    SAMPLES,
    Sample,
    Training,
    judged_by,
)

STEPS, EVALUATED = 2, PROMPTS_PER_STEP  # as many as the host rolls out at a time
LIMIT = 0.2
OPTIONS = {
    "algo.advantage.estimator": "reinforce",
    "eval.steps": 1,
    "eval.n_samples_per_prompt": 2,
    "eval.temperature": 1.0,  # as in training
}


@pytest.fixture(scope="module")
def run(address: str, tmp_path_factory: Any) -> Training:
    """Such a run, which may have 20 % of its groups without a reward."""
    folder: Path = tmp_path_factory.mktemp("unscored")
    options = {**OPTIONS, "eval.dataset": write_prompts(folder / "held-out", EVALUATED, seed=7)}
    with JudgeProcess() as judge:
        judge.start("moody")
        settings = {
            "engine": {"url": judge.url},
            **{"k": 2, "tries": 1, "dead_groups": 100},
            "adapters": {"openrlhf": {"unscored_limit": LIMIT}},
        }
        command = [*LAUNCHER, *judged_by(folder, settings)]
        with Training(address, folder, command, steps=STEPS, options=options) as training:
            training.wait()
    return training


def verdicts(run: Training, *, training: bool) -> list[Verdict]:
    return [one for one in run.verdicts() if (one.group.metadata["phase"] == "train") == training]


def unscored(samples: list[Sample]) -> list[Sample]:
    return [one for one in samples if one.logs["grm/unscored_rate"]]


def test_evaluations_are_told_from_training_at_the_same_temperature(run: Training) -> None:
    assert len(verdicts(run, training=True)) == PROMPTS_PER_STEP * STEPS, run.output[-6000:]
    assert len(verdicts(run, training=False)) == EVALUATED * STEPS


def test_unscored_responses_reach_the_update_without_any_token_of_their_own(run: Training) -> None:
    seen = 0
    for update in run.updates():
        assert len(update) == PROMPTS_PER_STEP * SAMPLES
        seen += len(unscored(update))
        for one in unscored(update):
            assert one.prompt.endswith(one.response)
            assert one.logs["grm/reward_mean"] == pytest.approx(one.reward)
    missing = [one for one in verdicts(run, training=True) if not one.scored]
    assert seen == SAMPLES * len(missing)
    assert 0 < len(missing) < PROMPTS_PER_STEP * STEPS


def test_unscored_responses_get_the_mean_of_the_scored_ones_of_their_step(run: Training) -> None:
    for update in run.updates():
        own = [one.reward for one in update if not one.logs["grm/unscored_rate"]]
        if own:
            mean = pytest.approx(statistics.fmean(own), abs=1e-5)
            assert [one.reward for one in unscored(update)] == [mean] * len(unscored(update))


def test_the_mean_of_the_scored_responses_is_logged_beside_the_reward(run: Training) -> None:
    metrics = run.metrics()
    assert metrics["train/grm/reward_mean"] == pytest.approx(metrics["train/reward"], rel=1e-3)
    assert all(map(math.isfinite, metrics["train/grm/reward_mean"]))


def test_an_evaluation_leaves_unscored_groups_out_and_says_so(run: Training) -> None:
    each = [
        verdicts(run, training=False)[step * EVALUATED : (step + 1) * EVALUATED]
        for step in range(STEPS)
    ]
    logged = run.metrics()["eval/eval_default_pass1"]
    for step, groups in enumerate(each):
        means = [statistics.fmean(one.known_rewards) for one in groups if one.scored]
        assert 0 < len(means) < EVALUATED
        assert logged[step] == pytest.approx(statistics.fmean(means), rel=1e-3)
        missing = EVALUATED - len(means)
        line = f"evaluation at step {step + 1}: {missing} of {EVALUATED} groups had no reward"
        assert line in run.output


def test_the_end_says_loudly_how_many_groups_had_no_reward_and_is_a_failure(run: Training) -> None:
    missing = sum(not one.scored for one in verdicts(run, training=True))
    total = PROMPTS_PER_STEP * STEPS
    told = f"ERROR: {missing} of {total} groups had no reward ({missing / total:.1%})."
    assert told in run.output
    assert "more than the 20.0% of adapters.openrlhf.unscored_limit" in run.output
    assert run.wait() == 1
    assert (run.folder / "out" / "config.json").is_file()  # the policy was saved
