"""A judge that we serve and that dies by itself is started again, and costs no group."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, Group
from grm_plugin.errors import EngineError, JudgeDeadError
from grm_plugin.remote.launching import lasting

HONEST = (sys.executable, "-m", "tests.serving.honest_judge")


def serve(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {"model": "judge", "command": HONEST, "log": tmp_path / "judge.log", **more}


def groups(count: int) -> list[Group]:
    pair = ["quality 7", "quality 3"]
    return [Group.of(f"Name fruit {n}.", pair, id=str(n)) for n in range(count)]


def started(caplog: pytest.LogCaptureFixture) -> list[tuple[int, int]]:
    """Port and process of each server that was started."""
    found = re.findall(r"starting a server .* on port (\d+), process (\d+)", caplog.text)
    return [(int(port), int(process)) for port, process in found]


@pytest.mark.parametrize("shared", [False, True])
def test_a_served_judge_that_is_killed_is_started_again_where_it_was_and_no_group_is_lost(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    shared: bool,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    caplog.set_level(logging.INFO)
    with GRM(engine={"serve": serve(tmp_path, shared=shared)}, k=2) as grm:
        for _ in range(2):
            assert all(one.scored for one in grm.score_batch(groups(4)))
            os.kill(started(caplog)[-1][1], signal.SIGKILL)
        assert all(one.scored for one in grm.score_batch(groups(4)))
    assert len(started(caplog)) == 3
    assert len({port for port, _ in started(caplog)}) == 1
    told = [line for line in caplog.messages if "it is started again" in line]
    assert len(told) == 2
    assert "ended with exit code 137" in told[0]


def test_a_served_judge_that_never_stays_ends_the_run_with_its_last_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting, "PAUSES_S", (0.1, 0.1))
    caplog.set_level(logging.INFO)
    log = tmp_path / "judge.log"
    with GRM(engine={"serve": serve(tmp_path)}, k=2) as grm:
        assert grm.score(groups(1)[0]).scored
        _, process = started(caplog)[-1]
        command = ("sh", "-c", "echo no such GPU; exit 3")
        monkeypatch.setattr(lasting.ServerProcess, "_program", lambda self: list(command))
        os.kill(process, signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(JudgeDeadError, match=r"(?s)started again 2 times.*no such GPU"):
            list(grm.score_many(groups(100)))
    assert time.monotonic() - began < 20
    assert log.read_text() == "no such GPU\n"


def test_a_served_judge_that_can_not_be_started_is_not_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    command = ["sh", "-c", "exit 3"]
    with (
        GRM(engine={"serve": serve(tmp_path) | {"command": command}}, k=2) as grm,
        pytest.raises(EngineError, match="ended with exit code 3 before it was healthy"),
    ):
        grm.score(groups(1)[0])
    assert len(started(caplog)) == 1
