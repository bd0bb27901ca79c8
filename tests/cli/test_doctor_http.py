"""``grm doctor`` and judges behind HTTP: the order, the costs, and refusals in their own words."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from aiohttp import web

import tests.engines.judge_server as acts
from tests.cli.conftest import Ended
from tests.engines.judge_server import JudgeServer, completion

Grm = Callable[..., Ended]
Serve = Callable[[JudgeServer], JudgeServer]
PRICES = ("--set", "prices={prompt: 1000, output: 1000}")


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(server.running())


def judging(good: int, bad: int, **message: Any) -> acts.Act:
    """Scores the response that is right about spiders, and the other, wherever they stand."""

    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
        text = body["messages"][-1]["content"]
        first = text.index("eight legs") < text.index("six legs")
        box = rf"\boxed{{{good}, {bad}}}" if first else rf"\boxed{{{bad}, {good}}}"
        return web.json_response(completion(body, message={"content": box} | message))

    return act


def doctor(grm: Grm, server: JudgeServer, *options: str) -> Ended:
    return grm("doctor", "--url", server.url, *options)


def test_the_order_the_time_the_tokens_and_the_money_are_told(grm: Grm, serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=judging(9, 2)))
    shown = doctor(grm, server, *PRICES)
    assert shown.code == 0
    assert "ok order scores 9 for a good and 2 for a bad response in the mean over 2" in shown.out
    assert "2 of 2 judgments can be read; each takes 0." in shown.out
    assert "7 tokens read and 6 written; together $0.026" in shown.out
    texts = [body["messages"][-1]["content"] for body in server.bodies]
    assert len({text.index("eight legs") < text.index("six legs") for text in texts}) == 2


def test_a_judge_with_its_scale_the_other_way_round_is_warned_of(grm: Grm, serve: Serve) -> None:
    shown = doctor(grm, serve(JudgeServer(otherwise=judging(1, 8))))
    assert "warn order scores 1 for a good and 8 for a bad response" in shown.out
    assert "its scale has the best at the low end" in shown.out


def test_a_judge_that_is_read_half_of_the_time_is_a_warning_with_the_share(
    grm: Grm, serve: Serve
) -> None:
    answers = iter([judging(9, 2), judging(9, 2, content="I can not decide."), judging(9, 2)])

    async def next_one(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        chat = request.path == "/v1/chat/completions"
        return await (next(answers) if chat else acts.answer)(server, request, body)

    shown = doctor(grm, serve(JudgeServer(otherwise=next_one)))
    assert "warn sample 1 of 2 judgments can be read; each takes" in shown.out
    assert "lost: unreadable: " in shown.out


@pytest.mark.parametrize(
    ("code", "said", "fix"),
    [
        (401, "Incorrect API key provided: ***", "api_key_env"),
        (403, "Your plan does not include this model", "api_key_env"),
        (404, "The model `judge` was retired last week", "--model"),
        (400, "Unsupported value: 'temperature' of this model is fixed", "a field of the request"),
        (422, "chat template has no turn of that kind", "a field of the request"),
    ],
)
def test_every_refusal_is_told_in_the_servers_own_words_with_what_to_change(
    grm: Grm, serve: Serve, code: int, said: str, fix: str
) -> None:
    shown = doctor(grm, serve(JudgeServer(otherwise=acts.status(code, said))))
    assert shown.code == 1
    assert f"HTTP {code}" in shown.out
    assert said in shown.out.replace("\\'", "'")
    assert fix in shown.out
    assert "fix: " in shown.out


def test_a_model_that_is_not_served_is_told_with_those_that_are(grm: Grm, serve: Serve) -> None:
    shown = doctor(grm, serve(JudgeServer(model="judge-7b")), "--model", "judge-70b")
    assert shown.code == 1
    assert "fail engine" in shown.out
    assert "unknown model 'judge-70b'; known: judge-7b; did you mean 'judge-7b'?" in shown.out


def test_a_judge_that_is_away_is_told_at_once(grm: Grm) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before = time.monotonic()
    shown = grm("doctor", "--url", f"http://127.0.0.1:{port}")
    assert time.monotonic() - before < 30
    assert shown.code == 1
    assert "fail engine" in shown.out
    assert "fix: start one, say `vllm serve MODEL --port 8001`" in shown.out


def test_a_judge_that_takes_calls_and_never_answers_is_told_in_seconds(grm: Grm) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        before = time.monotonic()
        shown = grm("doctor", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - before < 40
    assert shown.code == 1
    assert "no answer within 10 s" in shown.out


def test_the_embedded_judge_is_asked_in_its_own_words(grm: Grm) -> None:
    pytest.importorskip("transformers")
    shown = grm("doctor", "--engine", "reference")
    assert shown.code == 0
    assert "judgments can be read" in shown.out
    assert "for a good and" in shown.out


def test_a_provider_behind_litellm_is_told_of_in_the_same_way(
    grm: Grm, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("litellm", reason="the extra grm-plugin[litellm]")
    monkeypatch.setenv("JUDGE_KEY", "none-needed")
    said = "The model `gpt-4o-mini` does not exist or you do not have access to it"
    options = ("--engine", "litellm", "--model", "openai/gpt-4o-mini")
    key = ("--set", "engine.api_key_env=JUDGE_KEY")
    server = serve(JudgeServer(otherwise=judging(9, 2)))
    shown = grm("doctor", *options, *key, "--url", f"{server.url}/v1")
    assert shown.code == 0
    assert "7 tokens read and 6 written; together $0.0000093" in shown.out
    server = serve(JudgeServer(otherwise=acts.status(404, said)))
    shown = grm("doctor", *options, *key, "--url", f"{server.url}/v1")
    assert shown.code == 1
    assert said in shown.out
    assert "fix: change what it names" in shown.out
