"""Nothing paid for is lost: runs of ``grm score`` that are killed, and that meet on one output."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.cli.conftest import environment, process, site  # noqa: F401  (fixtures)
from tests.cli.files import write
from tests.engines.judge_server import JudgeServer, status
from tests.faults.conftest import LONG
from tests.serving.honest_judge import honest

Start = Callable[..., "subprocess.Popen[bytes]"]
GROUPS = 120 if LONG else 40


class Counting:
    """An honest judge that is slow, fails some questions at first, and counts what it is asked."""

    def __init__(self, *failing: int) -> None:
        self.asked: Counter[int] = Counter()
        self._failing = Counter(dict.fromkeys(failing, 2))

    async def __call__(
        self, server: JudgeServer, request: web.Request, body: dict[str, Any]
    ) -> web.Response:
        if "messages" not in body or request.path == "/tokenize":
            return await honest(server, request, body)
        question = int(str(body["messages"]).partition("question ")[2].partition(".")[0])
        if self._failing[question]:
            self._failing[question] -= 1
            return await status(500)(server, request, body)
        self.asked[question] += body["n"]
        return await honest(server, request, body)


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[JudgeServer]:
    rows = [
        {"id": str(n), "prompt": f"question {n}.", "responses": ["quality 3", "quality 7"]}
        for n in range(GROUPS)
    ]
    write(tmp_path / "in.jsonl", rows)
    with JudgeServer(otherwise=Counting(*range(0, GROUPS, 3))).running() as server:
        server.pause_s = 0.02
        yield server


@pytest.fixture
def score(process: Start, judge: JudgeServer) -> Start:  # noqa: F811
    def start(*more: str) -> subprocess.Popen[bytes]:
        address = ("--engine", "server", "--url", judge.url)
        few = ("-k", "2", "--set", "max_concurrent_groups=2", "--set", "tries=1")
        return process("score", "in.jsonl", "-o", "out.jsonl", *address, *few, *more)

    return start


def scored(folder: Path) -> Counter[int]:
    """How many scored verdicts there are of each group, in whole lines of all files."""
    names = ("out.jsonl", "out.jsonl.retry", "out.jsonl.restart")
    lines = [
        json.loads(line)
        for name in names
        if (folder / name).exists()
        for line in (folder / name).read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    return Counter(int(one["id"]) for one in lines if one["rewards"])


def ended(running: subprocess.Popen[bytes]) -> str:
    said = running.communicate(timeout=120)[1].decode()
    assert "Traceback" not in said, said
    return said


def until_asked(judge: JudgeServer, number: int, running: subprocess.Popen[bytes]) -> None:
    """Wait until the judge has been asked so much in all, or the run has ended."""
    act = judge.otherwise
    assert isinstance(act, Counting)
    until = time.monotonic() + 60
    while act.asked.total() < number and running.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.005)


def check_whole(folder: Path, judge: JudgeServer) -> None:
    """Every group has one verdict, scored, and there is no other file."""
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]
    assert sorted(int(one["id"]) for one in lines) == list(range(GROUPS))
    assert all(one["rewards"] for one in lines)
    assert [one.name for one in folder.glob("out*")] == ["out.jsonl"]


def test_a_run_that_is_killed_at_any_moment_goes_on_without_asking_twice(
    score: Start, judge: JudgeServer, tmp_path: Path
) -> None:
    act, chance = judge.otherwise, random.Random(11)
    assert isinstance(act, Counting)
    kept: dict[int, int] = {}
    for _ in range(20 if LONG else 4):
        running = score()
        until_asked(judge, act.asked.total() + chance.randrange(12), running)
        time.sleep(chance.random() * 0.1)
        running.kill()
        running.communicate()
        for group in scored(tmp_path):
            kept.setdefault(group, act.asked[group])
    for _ in range(3):  # the judge fails some groups twice
        if (last := score()).wait(120) == 0:
            break
        last.communicate()
    check_whole(tmp_path, judge)
    assert kept
    assert {group: act.asked[group] for group in kept} == kept


def test_runs_that_start_at_once_on_one_output_lose_and_double_nothing(
    score: Start, judge: JudgeServer, tmp_path: Path
) -> None:
    act = judge.otherwise = Counting()
    running = [score() for _ in range(4 if LONG else 3)]
    said = [ended(one) for one in running]
    codes = [one.returncode for one in running]
    assert 0 in codes
    for code, text in zip(codes, said, strict=True):
        assert code == 0 or "another process is writing it" in text
    check_whole(tmp_path, judge)
    assert set(act.asked.values()) == {2}


@pytest.mark.parametrize("option", ["--retry-unscored", "--restart"])
def test_a_retry_or_restart_beside_a_run_is_refused_and_drops_nothing(
    score: Start, judge: JudgeServer, tmp_path: Path, option: str
) -> None:
    act = judge.otherwise = Counting()
    running = score()
    until_asked(judge, 10, running)
    judge.pause_s = 3  # until the other one has seen it
    beside = score(option)
    assert "another process is writing it" in ended(beside)
    assert beside.returncode == 1
    assert running.poll() is None
    judge.pause_s = 0.02
    ended(running)
    assert running.returncode == 0
    check_whole(tmp_path, judge)
    assert set(act.asked.values()) == {2}


def test_a_restart_that_is_killed_goes_on_and_the_old_verdicts_stay_until_then(
    score: Start, judge: JudgeServer, tmp_path: Path
) -> None:
    act = judge.otherwise = Counting()
    ended(score())
    before = (tmp_path / "out.jsonl").read_bytes()
    restart = ("--restart", "--vote", "median")
    for _ in range(3 if LONG else 1):
        running = score(*restart)
        until_asked(judge, act.asked.total() + 20, running)
        running.kill()
        running.communicate()
        assert (tmp_path / "out.jsonl").read_bytes() == before
    again = scored(tmp_path) - Counter(range(GROUPS))
    assert again
    asked = {group: act.asked[group] for group in again}
    assert score(*restart).wait(120) == 0
    check_whole(tmp_path, judge)
    assert {group: act.asked[group] for group in again} == asked
    assert b'"vote":"median"' in (tmp_path / "out.jsonl").read_bytes()


def test_an_output_that_is_moved_under_a_run_loses_nothing(
    score: Start, judge: JudgeServer, tmp_path: Path
) -> None:
    judge.otherwise = Counting()
    running = score()
    until_asked(judge, 20, running)
    while not scored(tmp_path):
        time.sleep(0.005)
    (tmp_path / "out.jsonl").rename(tmp_path / "moved.jsonl")
    said = ended(running)
    assert running.returncode == 0, said
    lines = [
        json.loads(line)["id"]
        for name in ("moved.jsonl", "out.jsonl")
        for line in (tmp_path / name).read_bytes().splitlines()
    ]
    assert sorted(map(int, lines)) == list(range(GROUPS))
