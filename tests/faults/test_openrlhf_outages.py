"""Judges that go away in the middle of a real OpenRLHF run: what is lost is time.

A run takes minutes, so these are part of the long form; ``test_openrlhf_restarts`` asks the same of
the engine alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("openrlhf")
pytest.importorskip("vllm")

from tests.e2e.openrlhf.judge_process import JudgeProcess
from tests.e2e.openrlhf.loading_judge import kill, loading, pids
from tests.e2e.openrlhf.trainer import LAUNCHER, PROMPTS_PER_STEP, Training, cluster, judged_by

AWAY_S, LOADS_S = 60.0, 70.0
STEPS = 3
STRICT = {"k": 2, "tries": 1, "dead_groups": 1, "dead_after_s": 0}  # one lost group ends the run

pytestmark = [
    pytest.mark.long,  # whole runs
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with cluster() as running:
        yield running


def check_nothing_is_lost(run: Training) -> None:
    """Every group of every step has a reward, and the policy learned from all of them."""
    verdicts = run.verdicts()
    assert [one.scored for one in verdicts] == [True] * PROMPTS_PER_STEP * STEPS
    assert not [failure for one in verdicts for failure in one.failures]
    assert {one.logs["grm/unscored_rate"] for update in run.updates() for one in update} == {0.0}
    assert "0 of 12 groups had no reward (0.0%)" in run.output


def test_a_served_judge_that_is_killed_and_loads_for_longer_costs_no_group(
    address: str, tmp_path: Path
) -> None:
    serve = loading(tmp_path, LOADS_S).model_dump(mode="json")
    own = {"openrlhf": {"judge": {"gpus": 0}}}
    settings = {**STRICT, "request_timeout_s": 20, "engine": {"serve": serve}, "adapters": own}
    command = [*LAUNCHER, *judged_by(tmp_path, settings)]
    with Training(address, tmp_path, command, steps=STEPS) as training:
        training.until(lambda: training.verdicts())
        kill(tmp_path)
        assert training.wait() == 0, training.output[-6000:]
    assert len(pids(tmp_path)) == 2
    check_nothing_is_lost(training)
    assert max(one.cost.seconds for one in training.verdicts()) > LOADS_S


def test_a_judge_elsewhere_that_is_away_for_a_minute_costs_no_group(
    address: str, tmp_path: Path
) -> None:
    with JudgeProcess() as judge:
        judge.start()
        settings = {**STRICT, "engine": {"url": judge.url}}
        command = [*LAUNCHER, *judged_by(tmp_path, settings)]
        with Training(address, tmp_path, command, steps=STEPS) as training:
            training.until(lambda: training.verdicts())
            judge.kill()
            time.sleep(AWAY_S)
            judge.start()
            assert training.wait() == 0, training.output[-6000:]
    check_nothing_is_lost(training)
