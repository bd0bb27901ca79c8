"""What the operator reads of calls that were refused."""

from __future__ import annotations

import pytest

from grm_plugin.serving.callers import Caller
from grm_plugin.serving.refusals import Refusals
from tests.engines.judge_server import JudgeServer
from tests.serving.conftest import Serve

CALLER = Caller("somebody", "1")


def test_the_first_refusal_is_told_and_then_one_in_ten_seconds_for_each_status(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    refusals = Refusals(clock=lambda: now)
    for _ in range(1000):
        refusals.tell("/get_reward", 429, "no room", CALLER)
    refusals.tell("/get_reward", 401, "no token", CALLER)
    now = 10.0
    refusals.tell("/get_reward", 429, "no room", CALLER)
    refusals.tell("/get_reward", 401, "no token", CALLER)
    assert caplog.messages == [
        "/get_reward refused with 429, request 1 of somebody: no room",
        "/get_reward refused with 401, request 1 of somebody: no token",
        "/get_reward refused with 429, request 1 of somebody: no room (and 999 more before)",
        "/get_reward refused with 401, request 1 of somebody: no token",
    ]


def test_a_reason_can_not_begin_a_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    Refusals().tell("/v1/score", 422, "bad\nERROR forged\x1b[2J\u2028é", CALLER)
    assert caplog.messages == [
        "/v1/score refused with 422, request 1 of somebody: bad\\nERROR forged\\x1b[2J\\u2028é"
    ]


FORGED = "x\nERROR the judge is dead \x1b[2J"


@pytest.mark.parametrize("body", [{FORGED: 1}, {"groups": [{FORGED: 1}]}])
async def test_a_key_of_a_caller_is_quoted(
    serve: Serve, judge: JudgeServer, body: dict[str, object]
) -> None:
    server = await serve(judge.url)
    status, told = await server.post("/v1/score", body)
    assert status == 422
    assert "\n" not in str(told["error"]) and "\x1b" not in str(told["error"])
    assert not any(one.startswith("ERROR") for one in server.process.lines)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/score", "/v1/score refused with 422, request .* of 127.0.0.1: groups: required"),
        ("/reward\n\x1b[2J", "other refused with 404, request .*: Not Found"),
    ],
)
async def test_a_mistake_of_a_caller_is_in_the_log(
    serve: Serve, judge: JudgeServer, path: str, told: str
) -> None:
    server = await serve(judge.url)
    assert (await server.post(path, {}))[0] in (404, 422)
    server.process.line(told)


async def test_a_wrong_token_and_a_long_body_are_in_the_log(
    serve: Serve, judge: JudgeServer
) -> None:
    limits = ("--serving", "max_body_bytes=100", "--token-env", "TOKEN")
    server = await serve(judge.url, *limits, TOKEN="secret")
    assert (await server.post("/get_reward", {}))[0] == 401
    known = {"Authorization": "Bearer secret"}
    assert (await server.post("/get_reward", {"query": ["q" * 100]}, headers=known))[0] == 413
    server.process.line(
        "/get_reward refused with 401, request .*: expected the header Authorization"
    )
    server.process.line(
        "/get_reward refused with 413, request .*: expected a body of at most 100 bytes"
    )
