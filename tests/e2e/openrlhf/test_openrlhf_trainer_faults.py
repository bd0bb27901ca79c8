"""What goes wrong in the middle of a run of the real trainer. Judges are processes of their own."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from tests.e2e.openrlhf.judge_process import JudgeProcess
from tests.e2e.openrlhf.trainer import LAUNCHER, Training, judged_by, of_group

ENDLESS = 200  # steps: what is tested ends the run


def test_a_judge_that_goes_comes_back_and_goes_for_good(address: str, tmp_path: Path) -> None:
    with JudgeProcess() as judge:
        judge.start()
        settings = {"engine": {"url": judge.url}, "k": 2, "tries": 1, "dead_batches": 8}
        command = [*LAUNCHER, *judged_by(tmp_path, settings)]
        with Training(address, tmp_path, command, steps=ENDLESS) as training:
            training.until(lambda: training.verdicts())
            judge.kill()
            training.until(lambda: not training.verdicts()[-1].scored)
            judge.start()
            training.until(lambda: training.verdicts()[-1].scored)
            judge.kill()
            assert training.wait() != 0

    assert "came back without one reward" in training.output
    assert "reward_model_group" not in training.output  # the host's misleading guess
    updates = training.updates()
    assert {one.logs["grm/unscored"] for update in updates for one in update} == {0.0, 1.0}
    for verdict in training.verdicts():
        for one in of_group(verdict, updates):
            assert one.logs["grm/unscored"] == float(not verdict.scored)
            assert verdict.scored or one.advantage == 0


def test_a_killed_rollout_worker_ends_the_run(address: str, tmp_path: Path) -> None:
    with JudgeProcess() as judge:
        judge.start()
        settings = {"engine": {"url": judge.url}, "k": 2}
        command = [*LAUNCHER, *judged_by(tmp_path, settings)]
        with Training(address, tmp_path, command, steps=ENDLESS) as training:
            training.until(lambda: training.verdicts())
            worker = rollout_worker()
            engine = worker.children(recursive=True)
            worker.kill()
            assert training.wait() != 0
            for left in engine:  # vLLM's processes do not notice
                with suppress(psutil.NoSuchProcess):
                    left.kill()
    assert "ActorDiedError" in training.output


def rollout_worker() -> psutil.Process:
    """The process that rolls out; Ray's processes are children of the one that made the cluster."""
    (worker,) = (
        one
        for one in psutil.Process().children(recursive=True)
        if one.cmdline()[:1] and one.cmdline()[0].startswith("ray::RolloutRayActor")
    )
    return worker
