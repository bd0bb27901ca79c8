"""Whole runs of ``openrlhf.cli.train_ppo_ray``: rollouts in vLLM, updates in DeepSpeed, on Ray.

The policy and the judge are the reference ones. The judge runs in the rollout actor's process, and
once behind ``grm serve``, which the host asks for one sample at a time.
"""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grm_openrlhf.metrics import WAIT
from grm_plugin.hosts.fallback import described
from tests.cli.conftest import ROOT, RUN
from tests.e2e.openrlhf.trainer import (
    LAUNCHER,
    PROMPTS_PER_STEP,
    SAMPLES,
    Training,
    judged_by,
    of_group,
    record,
)
from tests.serving.conftest import Process

RECIPE = ROOT / "recipes/reference/openrlhf/grpo_coscaling.sh"
JUDGE = {"engine": "reference", "k": 4}
GROWING = {"schedule": {"by": "step", "stages": [{"step": 0, "k": 2}, {"step": 1, "k": 4}]}}
ASYNC = {"train.async_enable": True, "train.partial_rollout_enable": True}
Command = tuple[list[str], dict[str, Any]]


@contextmanager
def synchronous(folder: Path) -> Iterator[Command]:
    """The recipe with a growing k, with fewer prompts and votes."""
    yield ["bash", str(RECIPE), *judged_by(folder, {**JUDGE, **GROWING})], {}


@contextmanager
def asynchronous(folder: Path) -> Iterator[Command]:
    yield [*LAUNCHER, *judged_by(folder, JUDGE)], ASYNC


@contextmanager
def over_http(folder: Path) -> Iterator[Command]:
    settings = {**JUDGE, "record": record(folder)}
    serving = {"group_size": SAMPLES, "label": "conversation"}
    words = [f"--set={name}={value}" for name, value in settings.items()]
    words += [f"--serving={name}={value}" for name, value in serving.items()]
    process = Process([*RUN, "serve", "--port=0", *words], {})
    try:
        url = process.line("listening on").split()[-1]
        options = {"reward.remote_url": f"{url}/get_reward", "data.label_key": "prompt"}
        yield [sys.executable, "-m", "openrlhf.cli.train_ppo_ray"], options
    finally:
        process.end()


@dataclass(frozen=True)
class Way:
    """A way to run the trainer, and how many votes a group gets in each of its steps."""

    start: Callable[[Path], AbstractContextManager[Command]]
    votes: tuple[int, ...]


WAYS = (
    Way(synchronous, votes=(2, 4, 4)),
    Way(asynchronous, votes=(4, 4, 4)),
    Way(over_http, votes=(4, 4, 4)),
)


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: way.start.__name__)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture(scope="module")
def run(way: Way, address: str, tmp_path_factory: Any) -> Training:
    """A finished run of three policy updates."""
    folder = tmp_path_factory.mktemp(way.start.__name__)
    with (
        way.start(folder) as (command, options),
        Training(address, folder, command, steps=len(way.votes), options=options) as training,
    ):
        assert training.wait() == 0, training.output[-6000:]
    return training


def test_every_group_is_judged_whole_in_one_call(run: Training) -> None:
    verdicts = run.verdicts()
    assert len(verdicts) == PROMPTS_PER_STEP * run.steps
    assert {len(verdict.group.responses) for verdict in verdicts} == {SAMPLES}
    queries = Counter(verdict.group.conversation[-1].content for verdict in verdicts)
    assert queries == Counter(run.queries)


def test_rewards_reach_the_policy_update_unchanged(run: Training) -> None:
    updates = run.updates()
    assert [len(update) for update in updates] == [PROMPTS_PER_STEP * SAMPLES] * run.steps
    for verdict in run.verdicts():
        assert verdict.rewards is not None
        judged = zip(map(run.plain, verdict.group.responses), verdict.rewards, strict=True)
        updated = [(one.response, one.reward) for one in of_group(verdict, updates)]
        assert sorted(updated) == [(text, pytest.approx(reward)) for text, reward in sorted(judged)]


def test_advantages_are_those_of_the_group(run: Training) -> None:
    updates = run.updates()
    for verdict in run.verdicts():
        samples = of_group(verdict, updates)
        rewards = [one.reward for one in samples]
        mean, spread = statistics.fmean(rewards), statistics.stdev(rewards)
        expected = [(reward - mean) / (spread + 1e-9) for reward in rewards]
        assert [one.advantage for one in samples] == pytest.approx(expected, abs=1e-4)


def test_groups_get_the_votes_of_their_step(run: Training, way: Way) -> None:
    steps = {one.query: step for step, update in enumerate(run.updates()) for one in update}
    for verdict in run.verdicts():
        step = steps[verdict.group.conversation[-1].content]
        assert len(verdict.judgments) + len(verdict.failures) == way.votes[step]


def test_metrics_arrive_in_the_log_of_the_trainer(run: Training, way: Way) -> None:
    metrics = run.metrics()
    rewards = [statistics.fmean(one.reward for one in update) for update in run.updates()]
    assert metrics["train/reward"] == pytest.approx(rewards, rel=1e-3)
    assert metrics["train/grm/unscored_rate"] == [0.0] * run.steps
    assert metrics["train/grm/k"] == metrics["train/grm/k_drawn"] == list(way.votes)
    logged = {name.removeprefix("train/grm/") for name in metrics if "train/grm/" in name}
    assert logged - {WAIT.name} == {one.name for one in described()}
    assert (WAIT.name in logged) == (way.start is not over_http)
