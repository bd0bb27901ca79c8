"""What goes wrong in the middle of a run of the real trainer. Judges are processes of their own."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.adapters.openrlhf.stand_in import wait_until
from tests.e2e.openrlhf.judge_process import JudgeProcess
from tests.e2e.openrlhf.trainer import LAUNCHER, PROMPTS_PER_STEP, Training, judged_by, of_group

ENDLESS = 200  # steps: what is tested ends the run


def test_a_judge_that_goes_comes_back_and_goes_for_good(address: str, tmp_path: Path) -> None:
    with JudgeProcess() as judge:
        judge.start()
        settings = {"engine": {"url": judge.url}, "k": 2, "tries": 1}
        settings |= {"dead_groups": 8, "dead_after_s": 0, "request_timeout_s": 1}
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
    assert {one.logs["grm/unscored_rate"] for update in updates for one in update} == {0.0, 1.0}
    for verdict in training.verdicts():
        for one in of_group(verdict, updates):
            assert one.logs["grm/unscored_rate"] == float(not verdict.scored)
            assert verdict.scored or one.advantage == 0


def test_a_killed_rollout_worker_ends_the_run(address: str, tmp_path: Path) -> None:
    with JudgeProcess() as judge:
        judge.start()
        settings = {"engine": {"url": judge.url}, "k": 2}
        command = [*LAUNCHER, *judged_by(tmp_path, settings)]
        with Training(address, tmp_path, command, steps=ENDLESS) as training:
            training.until(lambda: training.verdicts())
            (worker,) = actors("RolloutRayActor")
            engine = worker.children(recursive=True)
            worker.kill()
            assert training.wait() != 0
            for left in engine:  # vLLM's processes do not notice
                with suppress(psutil.NoSuchProcess):
                    left.kill()
    assert "ActorDiedError" in training.output


def test_a_killed_run_that_is_resumed_goes_on_in_its_stage(address: str, tmp_path: Path) -> None:
    steps, stages = 8, [{"step": 0, "k": 2}, {"step": 2, "k": 4}]
    judge = {"engine": "reference", "k": 1, "schedule": {"by": "step", "stages": stages}}
    latest = tmp_path / "checkpoints/_actor/latest"
    options = {"ckpt.path": tmp_path / "checkpoints", "ckpt.save_steps": 1}

    def training(name: str, **more: Any) -> Training:
        (folder := tmp_path / name).mkdir()
        command = [*LAUNCHER, *judged_by(folder, judge)]
        return Training(address, folder, command, steps=steps, options={**options, **more})

    with training("killed") as killed:
        killed.until(lambda: latest.exists() and latest.read_text() >= "global_step2")
    # it may save once more before Ray has ended it
    wait_until(lambda: not actors("PolicyModelActor"), "the killed run goes on")
    done = int(latest.read_text().removeprefix("global_step"))
    assert done < steps
    with training("resumed", **{"ckpt.load_enable": True}) as resumed:
        assert resumed.wait() == 0, resumed.output[-6000:]

    assert [verdict.group.metadata["step"] for verdict in resumed.verdicts()] == [
        step for step in range(done, steps) for _ in range(PROMPTS_PER_STEP)
    ]
    assert resumed.metrics()["train/grm/k"] == [4.0] * (steps - done)


def actors(kind: str) -> list[psutil.Process]:
    """Of a class; Ray's processes are children of the one that made the cluster."""
    processes = psutil.Process().children(recursive=True)
    return [one for one in processes if title(one).startswith(f"ray::{kind}")]


def title(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return next(iter(process.cmdline()), "")
    return ""
