"""Several servers of one judge, of which one is no good: it costs no draw, and says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

import tests.engines.judge_server as acts
from grm_plugin.engine import Draw, Limits
from grm_plugin.errors import DeclinedError, RefusedError
from tests.engines.judge_server import JudgeServer
from tests.engines.requests_to_judge import request_for
from tests.engines.test_server_engine import engine_for

Serve = Callable[[JudgeServer], JudgeServer]
NO_TEMPLATE = "you must provide a chat template if the tokenizer does not define one"


async def test_a_refusal_is_told_when_the_other_server_stays_away_and_costs_no_cpu(
    serve: Serve,
) -> None:
    refuses = serve(JudgeServer(otherwise=acts.status(401, "bad key")))
    away = serve(JudgeServer(otherwise=acts.status(502, "bad gateway")))
    limits = Limits(tries=3, request_timeout_s=2)
    began, cpu = time.monotonic(), time.thread_time()
    async with engine_for(refuses, away, limits=limits) as engine:
        with pytest.raises(RefusedError, match=r"(?s)bad key.*nobody else.*bad gateway.*2 s"):
            await engine.sample(request_for(n=2))
    assert time.monotonic() - began < 4
    assert time.thread_time() - cpu < 1


@pytest.mark.parametrize(
    "useless",
    [
        acts.raw("<html>maintenance</html>"),
        acts.raw('{"status": "ok"}'),
        acts.status(409),
        acts.status(410, "gone"),
    ],
)
async def test_a_quick_server_that_gives_no_answers_takes_no_work_from_a_slow_one(
    serve: Serve, useless: acts.Act
) -> None:
    slow = JudgeServer()
    slow.pause_s = 0.02
    bad, good = serve(JudgeServer(otherwise=useless)), serve(slow)
    async with engine_for(bad, good, limits=Limits(max_concurrent_samples=8)) as engine:
        asked = (engine.sample(request_for(n=2, group=f"g{i}")) for i in range(30))
        found = await asyncio.gather(*asked, return_exceptions=True)
    assert all(not isinstance(one, BaseException) and len(one) == 2 for one in found), found
    assert len(bad.bodies) < 15


async def test_a_server_without_a_chat_template_stops_nothing_while_another_has_one(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    bad = serve(JudgeServer(otherwise=acts.status(400, NO_TEMPLATE)))
    good = serve(JudgeServer())
    async with engine_for(bad, good) as engine:
        for i in range(8):
            (draw,) = await engine.sample(request_for(group=f"g{i}"))
            assert isinstance(draw, Draw)
    (line,) = [line for line in caplog.messages if "put aside" in line]
    assert bad.url in line
    assert "--chat-template" in line


async def test_servers_that_refuse_all_our_requests_are_each_asked_and_then_it_is_told(
    serve: Serve,
) -> None:
    one = serve(JudgeServer(otherwise=acts.status(400, "be nice")))
    other = serve(JudgeServer(otherwise=acts.status(401, "bad key")))
    async with engine_for(one, other) as engine:
        with pytest.raises(RefusedError, match=r"be nice|bad key"):
            await engine.sample(request_for())
    assert one.bodies
    assert other.bodies


async def test_whether_a_text_is_minded_is_asked_of_the_server_that_minded_it(serve: Serve) -> None:
    minds = serve(JudgeServer(otherwise=_not_the_word("be")))
    other = serve(JudgeServer(otherwise=acts.status(400, NO_TEMPLATE)))
    async with engine_for(minds, other) as engine:
        for _ in range(4):
            with pytest.raises(DeclinedError, match="not that word"):
                await engine.sample(request_for("ba be bi"))


def _not_the_word(word: str) -> acts.Act:
    refuse = acts.status(400, "not that word")

    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        minded = word in body["messages"][0]["content"].split()
        return await (refuse if minded else acts.answer)(server, request, body)

    return act


async def test_a_rest_that_a_server_asks_for_holds_also_where_requests_are_spaced(
    serve: Serve,
) -> None:
    server = serve(JudgeServer(acts.answer, acts.status(429, Retry_After="1")))
    came: list[float] = []

    async def timed(judge: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        came.append(time.monotonic())
        return await acts.answer(judge, request, body)

    server.otherwise = timed
    async with engine_for(server, requests_per_minute=1200) as engine:
        began = time.monotonic()
        await asyncio.gather(*(engine.sample(request_for()) for _ in range(10)))
    assert min(came) - began >= 1.0
