"""A server that nobody named a provider for is learned from what it refuses by name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import GRM, Group
from grm_plugin.engine import Draw, SampleRequest, Sampling
from grm_plugin.errors import DeclinedError, EngineError, RefusedError
from grm_plugin.remote.fields import RequestShape, asked_of
from grm_plugin.remote.providers import PLAIN
from grm_plugin.remote.refusing.blame import own_words
from grm_plugin.types import Message, Reason
from tests.engines.conftest import Serve
from tests.engines.judge_server import JudgeServer, choices_with, completion, status
from tests.engines.providers import KEY, QUIRKS, Quirks, stand_in
from tests.engines.requests_to_judge import request_for
from tests.engines.test_server_engine import engine_for

LEARNED = {name: one for name, one in QUIRKS.items() if name != "fireworks"}


def _open(quirks: Quirks) -> JudgeServer:
    """The endpoint with its quirks, at a plain address with a plain key."""
    return stand_in(replace(quirks, api="/v1", header=("Authorization", f"Bearer {KEY}"), query={}))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]


@pytest.mark.parametrize("name", LEARNED)
async def test_no_draw_is_lost_while_a_server_is_learned(
    serve: Serve, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)
    server = serve(_open(LEARNED[name]))
    async with engine_for(server, api_key_env="JUDGE_KEY") as engine:
        requests = [request_for(n=4, seed=10 * i) for i in range(10)]
        found = await asyncio.gather(*map(engine.sample, requests))
        told = warnings(caplog)
        asked = len(server.bodies)
        await engine.sample(request_for(n=1))
    assert all(isinstance(draw, Draw) for draws in found for draw in draws)
    assert [len(draws) for draws in found] == [4] * 10
    assert len(server.bodies) == asked + 1  # nothing is refused twice
    assert len(set(told)) == len(told)  # and each is told once


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("seed", "takes no seed ('no seed please'); the same seed will give other judgments"),
        ("top_p", "takes no top_p beside the temperature"),
        ("min_p", "takes no min_p"),
    ],
)
async def test_a_field_that_is_refused_by_name_is_left_out_and_told(
    serve: Serve, field: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(JudgeServer(otherwise=_without(field, f"no {field} please")))
    async with engine_for(server) as engine:
        await engine.sample(request_for())
        assert told in warnings(caplog)[0]
        assert engine.altered == ({"not_sent": [field]} if field != "min_p" else {})


def _without(field: str, words: str) -> Any:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        if field in body:
            return await status(400, words)(server, request, body)
        return web.json_response(completion(body))

    return act


async def test_a_top_p_that_means_something_is_not_left_out(serve: Serve) -> None:
    words = "`temperature` and `top_p` cannot both be specified for this model"
    server = serve(JudgeServer(otherwise=_without("top_p", words)))
    async with engine_for(server) as engine:
        with pytest.raises(RefusedError, match=r"fields: \{temperature: null\}"):
            await engine.sample(request_for(top_p=0.9))


async def test_probabilities_that_a_contract_needs_are_not_left_out(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=_without("logprobs", "logprobs is not supported")))
    async with engine_for(server) as engine:
        request = replace(request_for(), logprobs=5)
        with pytest.raises(RefusedError, match="needs probabilities of tokens: take another"):
            await engine.sample(request)


async def test_a_server_that_ignores_n_is_asked_for_the_rest_with_the_seeds_that_lack(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def one(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        return web.json_response(completion({**body, "n": 1}))

    server = serve(JudgeServer(otherwise=one))
    async with engine_for(server) as engine:
        for _ in range(2):
            draws = await engine.sample(request_for(n=8, seed=40))
    texts = [draw.text for draw in draws if isinstance(draw, Draw)]
    assert texts == [f"judgment of seed {seed}" for seed in range(40, 48)]
    assert len(warnings(caplog)) == 1
    assert "gave 1 of 8 draws that were asked for in one request" in warnings(caplog)[0]


@pytest.mark.parametrize(
    "words",
    ["n>1 is not supported", "Multiple completions are not supported", "an answer each, please"],
)
async def test_a_server_that_takes_one_draw_a_request_is_learned_whatever_its_words(
    serve: Serve, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(JudgeServer(otherwise=_one_draw(words)))
    async with engine_for(server) as engine:
        asked = (engine.sample(request_for(n=4, seed=10 * i)) for i in range(10))
        found = await asyncio.gather(*asked)
    assert [[isinstance(draw, Draw) for draw in draws] for draws in found] == [[True] * 4] * 10
    (line,) = warnings(caplog)
    assert f"takes no n ('{words}')" in line


def _one_draw(words: str) -> Any:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        if body.get("n", 1) > 1:
            return await status(400, words)(server, request, body)
        return web.json_response(completion(body))

    return act


async def test_a_name_for_n_that_a_user_insists_on_is_refused_with_what_to_change(
    serve: Serve,
) -> None:
    server = serve(JudgeServer(otherwise=_one_draw("an answer each, please")))
    async with engine_for(server, fields={"n": "n"}) as engine:
        with pytest.raises(RefusedError, match=r"takes one draw a request: fields: \{n: null\}"):
            await engine.sample(request_for(n=4))


async def test_more_draws_than_asked_for_are_dropped(serve: Serve) -> None:
    async def many(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        return web.json_response(completion({**body, "n": 5}))

    async with engine_for(serve(JudgeServer(otherwise=many))) as engine:
        draws = await engine.sample(request_for(n=2, seed=3))
    texts = [draw.text for draw in draws if isinstance(draw, Draw)]
    assert texts == ["judgment of seed 3", "judgment of seed 4"]


async def test_one_draw_that_fails_costs_itself_where_each_is_a_request(serve: Serve) -> None:
    server = serve(JudgeServer(status(400, "I do not like this one")))
    async with engine_for(server, fields={"n": None}) as engine:
        draws = await engine.sample(request_for(n=4))
    assert [isinstance(draw, EngineError) for draw in draws].count(True) == 1


@pytest.mark.parametrize(
    "words",
    [
        "System role not supported",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "Only user and assistant roles are supported!",
    ],
)
async def test_a_system_turn_that_is_refused_goes_in_front_of_the_users(
    serve: Serve, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(JudgeServer(otherwise=_no_system(words)))
    messages = (Message("system", "You judge."), Message("user", "Which?"))
    request = SampleRequest(messages, 1, 0, Sampling())
    async with engine_for(server) as engine:
        for _ in range(2):
            await engine.sample(request)
        assert engine.altered == {"system": "in the user turn"}
    assert server.bodies[-1]["messages"] == [{"role": "user", "content": "You judge.\n\nWhich?"}]
    assert len(server.bodies) == 3
    assert sum("takes no system turn" in text for text in warnings(caplog)) == 1


def _no_system(words: str) -> Any:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        if any(turn["role"] == "system" for turn in body["messages"]):
            return await status(400, words)(server, request, body)
        return web.json_response(completion(body))

    return act


async def test_a_system_turn_that_must_stay_is_an_error_that_says_so(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=_no_system("System role not supported")))
    request = SampleRequest((Message("system", "Judge."), Message("user", "?")), 1, 0, Sampling())
    async with engine_for(server, system="turn") as engine:
        with pytest.raises(RefusedError, match="set system: user, or leave system out"):
            await engine.sample(request)
    async with engine_for(server, system="user") as engine:
        await engine.sample(request)
    assert len(server.bodies) == 3  # a harmless text was refused, too


async def test_a_server_without_a_chat_template_says_what_to_do(serve: Serve) -> None:
    words = "default chat template is no longer allowed, so you must provide a chat template"
    async with engine_for(serve(JudgeServer(otherwise=status(400, words)))) as engine:
        with pytest.raises(RefusedError, match="--chat-template"):
            await engine.sample(request_for())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            400,
            "The response was filtered due to the prompt triggering Azure OpenAI's content "
            "management policy.",
        ),
        (400, "Content Exists Risk"),
        (403, "Your chosen model requires moderation and your input was flagged for violence"),
    ],
)
async def test_a_filter_declines_one_text_and_no_other(serve: Serve, code: int, words: str) -> None:
    server = serve(JudgeServer(status(code, words)))
    async with engine_for(server) as engine:
        with pytest.raises(DeclinedError, match="HTTP"):
            await engine.sample(request_for())
        assert isinstance((await engine.sample(request_for()))[0], Draw)


def test_what_is_altered_is_in_the_origin_of_a_verdict(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=_without("seed", "unsupported parameter: seed")))
    with GRM(engine={"name": "server", "url": server.url}, k=1) as grm:
        assert grm.score(Group.of("q", ["a", "b"])).origin["altered"] == {"not_sent": ["seed"]}


def test_a_text_that_is_declined_is_dropped_as_declined(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=choices_with(finish_reason="content_filter")))
    with GRM(engine={"name": "server", "url": server.url}, k=2, find_culprits=0) as grm:
        verdict = grm.score(Group.of("q", ["a", "b"]))
    assert verdict.failures_by_reason == {Reason.DECLINED: 2}
    assert "the provider's filter ended the judge's answer" in verdict.unscored


def test_a_request_that_a_server_quotes_blames_no_field() -> None:
    said = 'bad: {"model": "m", "messages": [{"role": "user"}], "seed": "must be"}'
    assert own_words(said) == "bad: "


WORDS = [
    *("seed", "n", "'n'", "top_p", "temperature", "max_tokens", "max_completion_tokens", "top_k"),
    *(
        "min_p",
        "stop",
        "logprobs",
        "is not supported",
        "must be",
        "unknown",
        "\n",
        ":",
        "{",
        "role",
    ),
    "System role not supported",
]


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), min_size=1), st.data())
def test_whatever_a_server_says_learning_ends_and_keeps_what_decides_a_draw(
    said: list[str], data: st.DataObject
) -> None:
    shape = RequestShape(PLAIN, {}, {})
    messages = (Message("system", "Judge."), Message("user", "seed?"))
    sampling = Sampling(top_p=data.draw(st.sampled_from([1.0, 0.9])), stop=("x",))
    asked = asked_of("judge", SampleRequest(messages, 4, 7, sampling, logprobs=3))
    changes: dict[str, str | None] = {}
    for _ in range(20):
        found = shape.change(asked, shape.names(changes), data.draw(st.sampled_from(said)))
        if found is None:
            break
        assert found[0] not in changes
        changes[found[0]] = found[1]
    body = shape.written(asked, shape.names(changes))
    kept = {"temperature": 0.5, "stop": ["x"], "logprobs": True, "top_logprobs": 3}
    assert kept.items() <= body.items()
    assert ("top_p" in body) or sampling.top_p == 1
    assert body.get("max_tokens", body.get("max_completion_tokens")) == sampling.max_tokens
    assert "Judge." in "".join(turn["content"] for turn in body["messages"])
