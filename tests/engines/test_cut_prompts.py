from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp import web

from grm_plugin.engine import Draw
from grm_plugin.engines.cutting import suspicious
from grm_plugin.errors import ConfigError, ContextError
from grm_plugin.types import Message
from tests.engines.conftest import Serve
from tests.engines.judge_server import Act, JudgeServer, completion, status, usage_of
from tests.engines.requests_to_judge import request_for
from tests.engines.test_server_engine import engine_for

WORDS = "the quick brown fox jumps over the lazy dog while it rains "
CODE = "def f(x):\n" + "                                return x\n" * 300
LETTERS = "a" * 6000 + "b" * 6000
CHINESE = "評価モデルは応答を読み、原則と批評を書き、点数をつける。" * 400


def counting(pattern: str, *, context: int | None = None, frame: int = 12) -> Act:
    """A server whose tokens are the matches of ``pattern``; it keeps ``context`` of them."""

    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        tokens = frame + sum(len(re.findall(pattern, turn["content"])) for turn in body["messages"])
        answered = completion(body)
        answered["usage"]["prompt_tokens"] = min(tokens, context or tokens)
        return web.json_response(answered)

    return act


# many characters a token, as vocabularies with long runs and words have them
LONG = r"\s+|a{1,128}|b{1,128}|[^\W_]{1,16}|\W"


@pytest.mark.parametrize("text", [WORDS * 300, CODE, LETTERS, CHINESE], ids=lambda text: text[:8])
async def test_a_cut_prompt_is_a_context_error_that_says_so(serve: Serve, text: str) -> None:
    pattern = r"\w{1,4}|\W"
    server = serve(JudgeServer(otherwise=counting(pattern, context=750)))
    async with engine_for(server) as engine:
        with pytest.raises(ContextError, match=r"cut the prompt without a word: it tells 750 "):
            await engine.sample(request_for(text))


@pytest.mark.parametrize("text", [WORDS * 300, CODE, LETTERS, CHINESE], ids=lambda text: text[:8])
async def test_long_tokens_are_no_cut(serve: Serve, text: str) -> None:
    server = serve(JudgeServer(otherwise=counting(LONG, frame=300)))
    async with engine_for(server) as engine:
        (draw,) = await engine.sample(request_for(text))
    assert isinstance(draw, Draw)


async def test_a_whole_prompt_is_questioned_once_and_shorter_ones_never_again(
    serve: Serve,
) -> None:
    server = serve(JudgeServer(otherwise=counting(LONG, frame=300)))
    async with engine_for(server) as engine:
        await engine.sample(request_for(CODE))
        asked = len(server.bodies)
        await engine.sample(request_for(CODE))
    assert asked == 5
    assert len(server.bodies) == asked + 1
    assert {body["max_tokens"] for body in server.bodies[1:5]} == {1}


async def test_honest_counts_are_never_questioned(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=counting(r"[a-z]{1,5}|\w\w?|\W")))
    async with engine_for(server) as engine:
        for text in (WORDS * 300, CHINESE, "short"):
            await engine.sample(request_for(text))
    assert len(server.bodies) == 3


async def test_a_server_that_counts_only_what_it_had_not_cached_is_believed(serve: Serve) -> None:
    seen: set[str] = set()

    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        text = body["messages"][0]["content"]
        answered = completion(body)
        answered["usage"]["prompt_tokens"] = 1 if text in seen else 300
        seen.add(text)
        return web.json_response(answered)

    server = serve(JudgeServer(otherwise=act))
    async with engine_for(server) as engine:
        (draw,) = await engine.sample(request_for(WORDS * 300))
    assert isinstance(draw, Draw)


@pytest.mark.parametrize("told", [0, 7])
async def test_a_server_that_does_not_count_is_believed(serve: Serve, told: int) -> None:
    server = serve(JudgeServer(otherwise=counting(r"(?!)", frame=told)))
    async with engine_for(server) as engine:
        (draw,) = await engine.sample(request_for(WORDS * 300))
    assert isinstance(draw, Draw)


async def test_what_fills_the_declared_context_is_a_context_error(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=counting(r"\w+", frame=0)))
    server.max_model_len = None
    async with engine_for(server, context_tokens=100) as engine:
        assert engine.context_tokens == 100
        assert isinstance((await engine.sample(request_for("ba " * 76)))[0], Draw)
        with pytest.raises(ContextError, match=r"77 prompt tokens and max_tokens 24 are over"):
            await engine.sample(request_for("ba " * 77))


async def test_more_tokens_than_a_text_has_bytes_are_not_believed(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=usage_of({"prompt_tokens": 10**15})))
    server.max_model_len = None
    async with engine_for(server, context_tokens=32768) as engine:
        (draw,) = await engine.sample(request_for())
    assert isinstance(draw, Draw)


async def test_a_server_that_gives_no_single_token_is_asked_for_one_only_twice(
    serve: Serve,
) -> None:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        few = body["max_tokens"] < 16
        told = status(400, "expected a value >= 16") if few else counting(LONG, frame=300)
        return await told(server, request, body)

    server = serve(JudgeServer(otherwise=act))
    async with engine_for(server) as engine:
        for _ in range(3):
            assert isinstance((await engine.sample(request_for(CODE)))[0], Draw)
    assert [body["max_tokens"] for body in server.bodies] == [24, 1, 1, 24, 24]


async def test_a_text_that_is_not_questioned_leaves_the_question_to_others(serve: Serve) -> None:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        minded = body["max_tokens"] == 1 and "return" in body["messages"][0]["content"]
        told = status(400, "not this one") if minded else counting(r"\w{1,4}|\W", context=750)
        return await told(server, request, body)

    server = serve(JudgeServer(otherwise=act))
    async with engine_for(server) as engine:
        assert isinstance((await engine.sample(request_for(CODE)))[0], Draw)
        with pytest.raises(ContextError, match="cut the prompt without a word"):
            await engine.sample(request_for(LETTERS))


async def test_the_smaller_of_the_declared_and_the_told_context_holds(serve: Serve) -> None:
    server = serve(JudgeServer())
    async with engine_for(server, context_tokens=8192) as engine:
        assert engine.context_tokens == 4096
    with pytest.raises(ConfigError, match="context_tokens"):
        async with engine_for(server, context_tokens=0):
            pass


def test_short_texts_are_never_suspicious() -> None:
    assert not suspicious([Message("user", "a" * 8191)], 300)
    assert suspicious([Message("user", "a" * 8192)], 300)
