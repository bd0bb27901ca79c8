"""The first request of a prompt goes ahead, where that is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

import tests.engines.judge_server as acts
from grm_plugin.engine import Draw, Limits, SampleRequest, Sampling
from grm_plugin.engines.server import ServerEngine
from grm_plugin.remote.leading import Leading
from grm_plugin.types import Message
from tests.engines.judge_server import JudgeServer
from tests.engines.requests_to_judge import until

PROMPT = (Message("user", "hello"),)

Serve = Callable[[JudgeServer], JudgeServer]


@asynccontextmanager
async def engine_for(server: JudgeServer, **options: Any) -> AsyncIterator[ServerEngine]:
    engine = ServerEngine({"url": server.url, **options}, Limits(tries=1))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def request_of(group: str, seed: int) -> SampleRequest:
    turn = Message("user", f"of {group}")
    return SampleRequest((turn,), 1, seed, Sampling(1.0, 1.0, 8), group)


def sampled(engine: ServerEngine, groups: Sequence[str], each: int = 4) -> asyncio.Future[Any]:
    """``each`` requests of every group, all at once."""
    asked = [request_of(group, seed) for group in groups for seed in range(each)]
    return asyncio.gather(*map(engine.sample, asked), return_exceptions=True)


async def test_all_requests_of_a_group_go_at_once_unless_something_else_is_said(
    serve: Serve,
) -> None:
    server = serve(JudgeServer(otherwise=acts.hang))
    async with engine_for(server) as engine:
        task = sampled(engine, ["a"])
        await until(lambda: len(server.bodies) == 4)
        server.release()
        await task


async def test_with_warm_up_one_request_of_each_group_goes_ahead_of_the_others(
    serve: Serve,
) -> None:
    server = serve(JudgeServer(otherwise=acts.hang))
    async with engine_for(server, warm_up=True) as engine:
        task = sampled(engine, ["a", "b"])
        await until(lambda: len(server.bodies) == 2)
        await asyncio.sleep(0.1)
        assert sorted(one["messages"][0]["content"] for one in server.bodies) == ["of a", "of b"]
        server.release()
        found = await task
    assert len(server.bodies) == 8
    assert all(isinstance(draw, Draw) for (draw,) in found)


async def test_with_warm_up_each_order_of_a_group_has_a_leader_of_its_own(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=acts.hang))
    orders = [Message("user", "A then B"), Message("user", "B then A")]
    async with engine_for(server, warm_up=True) as engine:
        asked = [replace(request_of("a", n), messages=(orders[n % 2],)) for n in range(8)]
        task = asyncio.gather(*map(engine.sample, asked))
        await until(lambda: len(server.bodies) == 2)
        await asyncio.sleep(0.1)
        sent = [one["messages"][0]["content"] for one in server.bodies]
        assert sorted(sent) == ["A then B", "B then A"]
        server.release()
        await task
    assert len(server.bodies) == 8


async def test_a_first_request_that_fails_does_not_hold_the_others(serve: Serve) -> None:
    server = serve(JudgeServer(acts.status(500)))
    async with engine_for(server, warm_up=True) as engine:
        found = await sampled(engine, ["a"])
    assert sum(isinstance(one, Exception) for one in found) == 1
    assert len(server.bodies) == 4


async def test_a_prompt_that_was_answered_once_waits_no_more() -> None:
    leading = Leading()
    async with leading.turn("a", PROMPT):
        pass
    async with asyncio.timeout(1), leading.turn("a", PROMPT), leading.turn("a", PROMPT):
        pass


async def test_a_first_request_that_is_cancelled_lets_the_others_go() -> None:
    leading = Leading()

    async def lead() -> None:
        async with leading.turn("a", PROMPT):
            await asyncio.sleep(60)

    task = asyncio.create_task(lead())
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(1), leading.turn("a", PROMPT):
        pass


async def test_prompts_of_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grm_plugin.remote.leading._MOST_PROMPTS", 3)
    leading = Leading()
    for name in "abcde":
        async with leading.turn(name, PROMPT):
            pass
    assert len(leading._answered) == 3


async def test_draws_say_what_the_server_had_cached_where_it_tells(serve: Serve) -> None:
    usage = {"prompt_tokens": 40, "prompt_tokens_details": {"cached_tokens": 32}}
    server = serve(JudgeServer(acts.usage_of(usage), acts.usage_of({"prompt_tokens": 40})))
    async with engine_for(server) as engine:
        found = [await engine.sample(request_of("a", seed)) for seed in (0, 1)]
    assert [draw.cached_tokens for (draw,) in found] == [32, None]
