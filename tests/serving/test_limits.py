"""Who is let in, how many, and how the server starts and ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.serving import bodies
from tests.cli.conftest import RUN
from tests.engines.judge_server import JudgeServer, hang
from tests.serving.conftest import Serve, Start, command, row
from tests.serving.honest_judge import honest

TOKEN = "a-token-for-tests"


def words_of(process: int) -> str:
    """The command line of a process, as everybody on the machine can read it."""
    return Path(f"/proc/{process}/cmdline").read_text()


@pytest.mark.parametrize("where", ["environment", "file"])
async def test_a_server_with_a_token_lets_in_only_who_sends_it(
    serve: Serve, judge: JudgeServer, tmp_path: Path, where: str
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "token").chmod(0o600)
    options = {
        "environment": ["--token-env", "REWARD_TOKEN"],
        "file": ["--token-file", str(tmp_path / "token")],
    }
    server = await serve(judge.url, *options[where], REWARD_TOKEN=TOKEN)
    body = {"groups": [row(10)]}
    for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": TOKEN}):
        status, answer = await server.post("/v1/score", body, headers=headers)
        assert (status, "Authorization: Bearer" in answer["error"]) == (401, True)
        async with server.session.get("/metrics", headers=headers) as refused:
            assert refused.status == 401
    known = {"Authorization": f"Bearer {TOKEN}"}
    assert (await server.post("/v1/score", body, headers=known))[0] == 200
    assert TOKEN not in words_of(server.process.child.pid)
    assert not any(TOKEN in line for line in server.process.lines)


@pytest.mark.parametrize(
    ("options", "telling"),
    [
        (["--host", "0.0.0.0"], "expected a loopback address, since there is no token"),
        (["--token-env", "NO_SUCH_TOKEN"], "--token-env: the environment variable NO_SUCH_TOKEN"),
        (["--token-file", "/no/such"], "--token-file /no/such can not be read"),
        (["--serving", "qeue=4"], "unknown key 'qeue'.*did you mean 'queue'"),
        (["--serving", "flush_s=0"], "flush_s: .*more than 0"),
    ],
)
def test_a_wrong_option_is_told_before_anything_starts(
    start: Start, options: list[str], telling: str
) -> None:
    process = start(*command("http://127.0.0.1:9", *options))
    process.line(f"error: .*{telling}")
    assert process.exit_code() == 1


async def test_a_port_that_is_taken_is_told(serve: Serve, start: Start, judge: JudgeServer) -> None:
    server = await serve(judge.url)
    port = server.url.rpartition(":")[2]
    process = start(*RUN, "serve", "--port", port, "--url", judge.url)
    process.line(f"error: can not listen on 127.0.0.1:{port}; is the port taken")
    assert process.exit_code() == 1


async def test_a_schedule_that_nobody_follows_is_told(serve: Serve, judge: JudgeServer) -> None:
    stages = "schedule={by: step, stages: [{step: 0, k: 2}, {step: 9, k: 4}]}"
    server = await serve(judge.url, "--set", stages)
    server.process.line("schedule: callers tell no step, so a group gets k = 2 samples")


def test_a_judge_that_can_not_be_started_ends_the_server_with_its_reason(start: Start) -> None:
    process = start(*command("http://127.0.0.1:9", "--set", "engine.start_timeout_s=0"))
    process.line("error: no judge server answers: http://127.0.0.1:9.*connection refused")
    assert process.exit_code() == 1


class SlowJudge(JudgeServer):
    """Lists its models, which a start waits for, when it is told to."""

    async def _models(self, request: Any) -> Any:
        await self.released.wait()
        return await super()._models(request)


async def test_calls_are_refused_while_the_judge_starts(serve: Serve) -> None:
    with SlowJudge().running() as judge:
        server = await serve(judge.url, ready=False)
        assert await server.until("starting") == "the judge is starting"
        status, answer = await server.post("/v1/score", {"groups": [row(1)]})
        assert (status, answer["error"]) == (503, "starting: the judge is starting")
        judge.release()
        await server.until("ready")


async def test_a_full_queue_refuses_new_groups_and_takes_the_rest_of_those_it_has(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "queue=1")
    first = asyncio.create_task(server.rewards(10, group="a", size=2))
    await server.until_metric("grm_collecting_groups", 1)
    async with server.session.post("/v1/score", json={"groups": [row(1)]}) as refused:
        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
        assert "1 of at most 1 are in" in (await refused.json())["error"]
    assert (await server.reward("quality 3", group_ids="b", group_sizes=2))[0] == 429
    second = {"group_ids": "a", "group_sizes": 2, "sample_indices": 1}
    assert await server.reward("quality 1", **second) == (200, 0.0)
    assert await first == [(200, 1.0)]


async def test_samples_that_were_taken_before_one_was_refused_are_still_judged(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "queue=2")
    first = asyncio.create_task(server.rewards(10, group="c", size=2))
    await server.until_metric("grm_collecting_groups", 1)
    two = {"query": ["aquality 1", "bquality 1"], "prompts": ["a", "b"], "labels": [None, None]}
    assert (await server.post("/get_reward", two))[0] == 429
    await server.until_metric('grm_groups_total{outcome="scored"}', 1)
    assert await server.reward("quality 10") == (200, 1.0)
    second = {"group_ids": "c", "group_sizes": 2, "sample_indices": 1}
    assert await server.reward("quality 1", **second) == (200, 0.0)
    assert await first == [(200, 1.0)]


async def test_more_calls_than_allowed_are_refused(serve: Serve, judge: JudgeServer) -> None:
    server = await serve(judge.url, "--serving", "max_calls=1")
    first = asyncio.create_task(server.rewards(10, size=2))
    await server.until_metric("grm_collecting_groups", 1)
    code, said = await server.reward("quality 1")
    assert (code, "no room for 1 more calls: 1 of at most 1 are in" in said) == (429, True)
    first.cancel()


async def test_a_body_that_does_not_arrive_is_not_waited_for(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "body_timeout_s=0.2")

    async def stuck() -> Any:
        yield b"{"
        await asyncio.sleep(30)

    async with server.session.post("/v1/score", data=stuck()) as answer:
        assert answer.status == 408
        assert "within 0.2 s" in (await answer.json())["error"]


async def test_a_caller_that_goes_stops_the_judging_of_its_groups(serve: Serve) -> None:
    with JudgeServer(otherwise=hang).running() as judge:
        server = await serve(judge.url)
        with pytest.raises(asyncio.TimeoutError):
            timeout = aiohttp.ClientTimeout(1)
            await server.post("/v1/score", {"groups": [row(1)]}, timeout=timeout)
        await server.until_metric("grm_groups_in_flight", 0)
        await judge.until_aborted(2)


async def test_sigterm_answers_what_is_in_flight_refuses_what_is_new_and_exits_with_0(
    serve: Serve,
) -> None:
    async def when_released(server: JudgeServer, request: Any, body: Any) -> Any:
        await server.released.wait()
        return await honest(server, request, body)

    with JudgeServer(otherwise=when_released).running() as judge:
        server = await serve(judge.url)
        whole = asyncio.create_task(server.score(row(10)))
        half = asyncio.create_task(server.rewards(10, size=2))
        await server.until_metric("grm_groups_in_flight", 1)
        await server.until_metric("grm_collecting_groups", 1)
        server.process.child.send_signal(signal.SIGTERM)
        assert await server.until("draining") == "the server is shutting down"
        status, answer = await server.post("/v1/score", {"groups": [row(1)]})
        assert (status, answer["error"]) == (503, "draining: the server is shutting down")
        judge.release()
        assert [verdict["rewards"] for verdict in await whole] == [[1.0]]
        assert await half == [(200, 1.0)]
    assert server.process.exit_code() == 0


async def test_a_server_that_drains_too_long_ends_anyway(serve: Serve) -> None:
    with JudgeServer(otherwise=hang).running() as judge:
        server = await serve(judge.url, "--serving", "drain_s=0.5")
        waiting = asyncio.create_task(server.score(row(10)))
        await server.until_metric("grm_groups_in_flight", 1)
        server.process.child.send_signal(signal.SIGTERM)
        assert server.process.exit_code() == 0
        with pytest.raises((aiohttp.ClientError, AssertionError)):
            await waiting


async def test_ctrl_c_ends_the_server_with_130(serve: Serve, judge: JudgeServer) -> None:
    server = await serve(judge.url)
    server.process.child.send_signal(signal.SIGINT)
    assert server.process.exit_code() == 130


def memory_mb(process: int, what: str = "VmRSS") -> float:
    """What a process has in memory now; by ``VmHWM`` what it had at most."""
    with open(f"/proc/{process}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1000


async def test_150_bodies_that_never_end_take_no_more_than_the_budget(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "max_held_bytes=40000000")
    before = memory_mb(server.process.child.pid)
    statuses: list[int] = []

    async def unfinished() -> AsyncIterator[bytes]:
        for _ in range(78):
            yield b" " * 100_000
        await asyncio.sleep(60)

    async def call() -> None:
        async with server.session.post("/v1/score", data=unfinished()) as answer:
            statuses.append(answer.status)
            said = await answer.json()
            assert "no room for" in said["error"] and answer.headers["Retry-After"] == "1"

    calls = [asyncio.create_task(call()) for _ in range(150)]
    async with asyncio.timeout(60):
        while len(statuses) < 144:
            await asyncio.sleep(0.05)
    assert set(statuses) == {503}
    assert (await server.metrics())["grm_held_bytes"] <= 40_000_000
    assert memory_mb(server.process.child.pid) - before < 400  # 1200 without a budget
    for one in calls:
        one.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await server.until_metric("grm_held_bytes", 0)
    assert (await server.post("/v1/score", {"groups": [row(10)]}))[0] == 200


async def test_a_body_of_many_small_values_counts_for_the_memory_that_they_take(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "max_held_bytes=10000000")
    text = row(10, metadata={"text": "a, b, c, d" * 100_000})
    assert (await server.post("/v1/score", {"groups": [text]}))[0] == 200
    many = row(10, metadata={"values": [[]] * 200_000})
    code, said = await server.post("/v1/score", {"groups": [many]})
    telling = (
        r"at most 10000000 bytes of caller '127\.0\.0\.1' .* got 13\d{6} in one.*max_held_bytes"
    )
    assert (code, bool(re.search(telling, said["error"]))) == (413, True)
    await server.until_metric("grm_held_bytes", 0)


VALUES = st.recursive(
    st.none() | st.text(st.sampled_from('",\\:[a')),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.sampled_from('",\\')), inner),
)


def commas_of(value: Any) -> int:
    inner = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(inner, list):
        return 0
    return max(len(inner) - 1, 0) + sum(map(commas_of, inner))


@pytest.mark.parametrize("piece", [1, 3, bodies._PIECE])
@given(VALUES)
def test_values_are_counted_by_the_commas_outside_of_texts(piece: int, value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "_PIECE", piece)
        assert bodies.values_of(json.dumps(value).encode()) == commas_of(value)


@pytest.mark.parametrize("text", [rb"\\\\", rb"\\\\,", b'","', b'"",'])
def test_counting_values_takes_a_few_times_the_body_whatever_it_holds(text: bytes) -> None:
    body = b'"' + text * (4_000_000 // len(text)) + b'"'
    tracemalloc.start()
    bodies.values_of(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * len(body)


LONG_CALLS = {
    "numbers in place of texts": {"query": [1] * 200_000, "prompts": [2] * 40_000},
    "keys that nobody knows": {f"key {n}": n for n in range(200_000)},
    "keys of an object in it": {"groups": [], "size": {f"key {n}": n for n in range(200_000)}},
    "more values than are read": {"query": [1] * 1_000_000},
}


@pytest.mark.parametrize("name", LONG_CALLS)
async def test_a_call_of_many_mistakes_is_answered_shortly_and_keeps_nobody_waiting(
    serve: Serve, judge: JudgeServer, name: str
) -> None:
    server = await serve(judge.url)
    process = server.process.child.pid
    memory, busy = memory_mb(process, "VmHWM"), busy_s(process)
    body = json.dumps(LONG_CALLS[name]).encode()
    path = "/v1/score" if "groups" in LONG_CALLS[name] else "/get_reward"
    headers = {"Content-Type": "application/json"}
    async with server.session.post(path, data=body, headers=headers) as answer:
        assert answer.status in (413, 422)
        assert len(await answer.read()) < 1000
    assert max(map(len, server.process.lines)) < 1200
    assert busy_s(process) - busy < 2  # 7 where each mistake is told
    assert memory_mb(process, "VmHWM") - memory < 150


def busy_s(process: int) -> float:
    """How long a process has used the processor, which other processes do not change."""
    with open(f"/proc/{process}/stat") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def test_what_can_never_fit_is_not_told_to_ask_again(
    serve: Serve, judge: JudgeServer
) -> None:
    limits = ("queue=4", "queue_per_caller=3", "max_held_bytes=20000")
    server = await serve(judge.url, *(f"--serving={limit}" for limit in limits))
    code, said = await server.post("/v1/score", {"groups": [row(10)] * 4})
    told = "at most 3 groups of caller '127.0.0.1' at a time, got 4 in one"
    assert (code, told in said["error"], "queue_per_caller" in said["error"]) == (413, True, True)
    prompts = [f"prompt {n}" for n in range(4)]
    code, said = await server.post("/get_reward", {"query": prompts, "prompts": prompts})
    assert (code, told in said["error"]) == (413, True)
    code, said = await server.post("/v1/score", {"groups": [row(10, metadata={"a": "a" * 30_000})]})
    assert (code, "raise max_held_bytes" in said["error"]) == (413, True)
    assert len(await server.score(row(10), row(9), row(8))) == 3


async def test_texts_that_wait_for_their_group_count_though_their_callers_have_gone(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "max_held_bytes=10000")
    half = {"group_ids": "g", "group_sizes": 2}
    waiting = asyncio.create_task(server.reward("x" * 4000, sample_indices=0, **half))
    await server.until_metric("grm_collecting_groups", 1)
    waiting.cancel()
    await server.until_metric("grm_held_bytes", 4001)
    code, said = await server.reward("y" * 4000, group_ids="h", group_sizes=2)
    assert (code, "more bytes" in said) == (503, True)
    assert (await server.reward("quality 1", sample_indices=1, **half))[0] == 200
    await server.until_metric("grm_held_bytes", 0)


@pytest.mark.parametrize("path", ["/v1/score", "/get_reward"])
async def test_a_call_that_asks_for_too_many_samples_is_refused(
    serve: Serve, judge: JudgeServer, path: str
) -> None:
    server = await serve(judge.url, "--serving", "max_draws_per_call=7")
    groups = {"groups": [row(1)] * 4}
    lists = {"query": [f"{n}a" for n in range(4)], "prompts": [*"0123"]}
    code, said = await server.post(path, groups if path == "/v1/score" else lists)
    told = "at most 7 samples of the judge for a call, got 4 groups with 2 each"
    assert (code, told in said["error"]) == (413, True)
    code, said = await server.post("/v1/score", {"groups": [row(1)], "size": {"k": 8}})
    assert (code, "1 groups with 8 each" in said["error"]) == (413, True)


async def test_a_caller_has_its_own_limit_and_another_is_served_beside_it(
    serve: Serve, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("big one\nsmall two\n")
    tokens.chmod(0o600)
    limits = ("--token-file", str(tokens), "--serving", "queue_per_caller=2")
    with JudgeServer(otherwise=hang).running() as judge:
        server = await serve(judge.url, *limits)
        known = {name: {"Authorization": f"Bearer {name}"} for name in ("one", "two")}
        body = {"groups": [row(1), row(1)]}
        first = asyncio.create_task(server.post("/v1/score", body, headers=known["one"]))
        while not judge.bodies:
            await asyncio.sleep(0.01)
        code, said = await server.post("/v1/score", body, headers=known["one"])
        assert (code, "caller 'big' has 2 of at most 2 in" in said["error"]) == (429, True)
        server.process.line(r"refused with 429, request \w+ of big: no room")
        other = asyncio.create_task(server.post("/v1/score", body, headers=known["two"]))
        while len(judge.bodies) < 8:
            await asyncio.sleep(0.01)
        judge.release()
        assert [(await one)[0] for one in (first, other)] == [200, 200]


async def test_a_verdict_that_can_not_be_recorded_ends_the_serving_and_health_says_why(
    serve: Serve, judge: JudgeServer, tmp_path: Path
) -> None:
    path = tmp_path / "verdicts.jsonl"
    server = await serve(judge.url, "--set", f"record={path}")
    assert len(await server.score(row(10))) == 1
    full = path.stat().st_size + 100
    resource.prlimit(server.process.child.pid, resource.RLIMIT_FSIZE, (full, full))
    code, said = await server.post("/v1/score", {"groups": [row(10)] * 20})
    assert (code, "can not be recorded" in said["error"]) == (503, True)
    assert "can not be recorded" in await server.until("dead")
    await asyncio.sleep(0.5)  # what was on its way to the judge has come there
    asked = len(judge.bodies)
    assert (await server.post("/v1/score", {"groups": [row(1)]}))[0] == 503
    assert (await server.rewards(1))[0][0] == 503
    await asyncio.sleep(0.5)
    assert len(judge.bodies) == asked
    server.process.line("no more calls are served: .* can not be recorded")
    assert len(path.read_text().splitlines()) == 1
    server.process.child.send_signal(signal.SIGTERM)
    assert server.process.exit_code() == 0
