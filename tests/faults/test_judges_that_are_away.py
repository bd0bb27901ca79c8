"""Judges that load, die and come back: what is lost is time."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from grm_plugin import GRM, Group
from grm_plugin.errors import EngineError, JudgeDeadError
from grm_plugin.remote.launching.launch import free_port
from tests.cli.conftest import RUN
from tests.e2e.openrlhf.judge_process import JudgeProcess
from tests.engines.conftest import Serve, serve  # noqa: F401 (a fixture)
from tests.engines.judge_server import JudgeServer, status
from tests.faults.conftest import LONG
from tests.faults.limited_judge import judging

AWAY_S = 60.0 if LONG else 2.0


def groups(count: int) -> list[Group]:
    return [Group.of(f"Name fruit {n}.", ["apple", "chair"], id=str(n)) for n in range(count)]


@contextmanager
def later(seconds: float, act: Any) -> Iterator[None]:
    timer = threading.Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.mark.timeout(200)
def test_a_judge_that_is_killed_and_comes_back_costs_no_group(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with JudgeProcess() as judge:
        judge.start(pause_s=0.1)
        with (
            caplog.at_level(logging.WARNING),
            GRM(engine={"url": judge.url}, k=4, max_concurrent_samples=16) as grm,
        ):
            assert all(one.scored for one in grm.score_batch(groups(4)))
            with later(0.3, judge.kill), later(0.3 + AWAY_S, judge.start):
                verdicts = grm.score_batch(groups(24))
    assert [one.scored for one in verdicts] == [True] * 24
    assert not [failure for one in verdicts for failure in one.failures]
    told = [line for line in caplog.messages if "judge server" in line]
    assert ["is put aside until it answers" in line for line in told] == [True, False]
    assert "is back" in told[1]


def test_a_judge_that_says_it_is_loading_is_waited_for(serve: Serve) -> None:  # noqa: F811
    until = time.monotonic() + 2.5

    async def loads(server: Any, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        act = status(503, "Loading model") if time.monotonic() < until else judging
        return await act(server, request, body)

    server = serve(JudgeServer(otherwise=loads))
    with GRM(engine={"url": server.url}, k=4, tries=1) as grm:
        assert all(one.scored for one in grm.score_batch(groups(10)))
    assert len(server.bodies) < 40 + 64  # it is asked now and then, not by everybody


def test_a_judge_that_crashes_over_a_request_costs_tries_and_no_endless_wait(
    serve: Serve,  # noqa: F811
) -> None:
    server = serve(JudgeServer(otherwise=status(500, "CUDA error")))
    with GRM(engine={"url": server.url}, k=2, tries=2) as grm:
        (verdict,) = grm.score_batch(groups(1))
    assert verdict.failures_by_reason == {"transport": 2}
    assert "gave up after 2 tries" in verdict.unscored


def test_a_judge_that_stays_away_ends_the_run_after_dead_after_s_with_its_address() -> None:
    with JudgeProcess() as judge:
        judge.start()
        patience = {"request_timeout_s": 1, "dead_groups": 4, "dead_after_s": 3}
        with GRM(engine={"url": judge.url}, k=2, **patience) as grm:
            grm.score_batch(groups(2))
            judge.kill()
            started = time.monotonic()
            with pytest.raises(JudgeDeadError, match="connection refused"):
                while True:
                    grm.score_batch(groups(4))
    assert 3 <= time.monotonic() - started < 10


class Starting(JudgeServer):
    """Lists no model before ``loaded``, as some servers do while they load."""

    loaded = False

    async def _models(self, request: web.Request) -> web.Response:
        if self.loaded:
            return await super()._models(request)
        return web.json_response({"object": "list", "data": []})


def test_a_start_waits_for_a_model_to_be_listed(serve: Serve) -> None:  # noqa: F811
    server = Starting(otherwise=judging)
    serve(server)
    with GRM(engine={"url": server.url}, k=2) as grm:
        with later(1.5, lambda: setattr(server, "loaded", True)):
            assert grm.score(groups(1)[0]).scored
        assert grm.engine.model == "judge"


def test_a_start_waits_for_a_judge_and_says_for_what_how_long_and_how_to_start_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = JudgeServer(otherwise=judging)
    server.port = free_port()
    url = f"http://127.0.0.1:{server.port}"
    with (
        caplog.at_level(logging.WARNING),
        GRM(engine={"url": url, "start_timeout_s": 30}, k=2, batch_timeout_s=5) as grm,
    ):
        started = time.monotonic()
        thread = threading.Thread(target=grm.start)
        thread.start()
        time.sleep(2)
        with server.running():
            thread.join(10)
            assert time.monotonic() - started < 6
            assert grm.score(groups(1)[0]).scored
    (line,) = [line for line in caplog.messages if "waits for a judge" in line]
    assert f"0 of 30 s, until {time.strftime('%H:')}" in line
    assert f"{url}/v1/models: connection refused" in line
    assert "vllm serve MODEL --port 8001" in line


def test_a_start_ends_after_start_timeout_s() -> None:
    engine = {"url": "http://127.0.0.1:9", "start_timeout_s": 1.5}
    started = time.monotonic()
    with GRM(engine=engine) as grm, pytest.raises(EngineError, match="no judge server answers"):
        grm.start()
    assert 1.5 <= time.monotonic() - started < 4


def test_a_start_may_take_longer_than_a_batch_and_ends_with_its_own_words() -> None:
    engine = {"url": "http://127.0.0.1:9", "start_timeout_s": 2.5}
    with (
        GRM(engine=engine, batch_timeout_s=1, group_timeout_s=1, request_timeout_s=1) as grm,
        pytest.raises(EngineError, match="no judge server answers"),
    ):
        grm.score_batch(groups(1))


@pytest.mark.parametrize(
    ("url", "telling"),
    [
        ("http://no-such-host.invalid:8001", "there is no host of the name 'no-such-host.invalid'"),
        ("https://127.0.0.1:{plain}", "the server speaks plain http there; write http:// in url"),
    ],
)
def test_an_address_that_can_not_be_right_ends_a_start_at_once(
    serve: Serve,  # noqa: F811
    url: str,
    telling: str,
) -> None:
    plain = serve(JudgeServer()).url.rpartition(":")[2]
    started = time.monotonic()
    with (
        GRM(engine={"url": url.format(plain=plain)}) as grm,
        pytest.raises(EngineError, match=telling),
    ):
        grm.start()
    assert time.monotonic() - started < 5


def test_one_replica_of_two_that_dies_costs_no_group_and_is_used_again(
    serve: Serve,  # noqa: F811
) -> None:
    stays = serve(JudgeServer(otherwise=judging))
    with JudgeProcess() as judge:
        judge.start()
        with (
            GRM(engine={"urls": [stays.url, judge.url], "model": "judge"}, k=4) as grm,
            later(0.1, judge.kill),
            later(0.8, judge.start),
        ):
            for start in range(3):
                verdicts = grm.score_batch(groups(20))
                assert all(one.scored for one in verdicts), start
                time.sleep(0.5)


def test_a_command_says_for_what_it_waits_and_goes_on_when_it_comes(tmp_path: Path) -> None:
    server = JudgeServer(otherwise=judging)
    server.port = free_port()
    (tmp_path / "in.jsonl").write_text('{"prompt": "Name it.", "responses": ["a", "b"]}\n')
    command = [*RUN, "score", "in.jsonl", "-o", "out.jsonl"]
    where = ["--url", f"http://127.0.0.1:{server.port}", "--set", "k=2"]
    with subprocess.Popen(
        [*command, *where], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "engine 'server' waits for a judge, 0 of 300 s, until" in line
        assert "connection refused; start one with: vllm serve MODEL --port 8001" in line
        with server.running():
            assert process.wait(30) == 0
    assert '"rewards"' in (tmp_path / "out.jsonl").read_text()
