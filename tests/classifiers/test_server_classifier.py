from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

import tests.engines.judge_server as acts
from grm_plugin.classifiers import Rating
from grm_plugin.errors import EngineError, TransportError
from tests.classifiers.test_classifiers import started
from tests.engines.judge_server import JudgeServer

Serve = Callable[[JudgeServer], JudgeServer]


async def test_each_text_gets_its_raw_logit_in_order(serve: Serve) -> None:
    server = serve(JudgeServer())
    async with started(name="server", url=server.url) as classifier:
        assert await classifier.logits(["abc", "a", "ab"]) == [1.5, 0.5, 1.0]
    assert all(body["use_activation"] is False for body in server.bodies)
    assert {body["model"] for body in server.bodies} == {"judge"}


async def test_what_the_server_tells_of_tokens_comes_with_the_logit(serve: Serve) -> None:
    told = acts.raw('{"data": [{"probs": [0.25]}], "usage": {"prompt_tokens": 31}}')
    async with started(name="server", url=serve(JudgeServer(told)).url) as classifier:
        assert await classifier.logits(["abc"]) == [Rating(0.25, 31)]


async def test_a_server_without_classify_is_asked_for_pooling(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=_only_pooling))
    async with started(name="server", url=server.url) as classifier:
        assert await classifier.logits(["abc"]) == [1.5]
        asked = len(server.bodies)
        assert await classifier.logits(["ab"]) == [1.0]
    assert len(server.bodies) == asked + 1


async def _only_pooling(
    server: JudgeServer, request: web.Request, body: dict[str, Any]
) -> web.StreamResponse:
    act = acts.answer if request.path == "/pooling" else acts.status(404)
    return await act(server, request, body)


async def test_a_text_over_the_context_fails_alone(serve: Serve) -> None:
    async def refuse_long(
        server: JudgeServer, request: web.Request, body: dict[str, Any]
    ) -> web.StreamResponse:
        long = len(body["input"]) > 10
        act = acts.status(400, "maximum context length is 10") if long else acts.answer
        return await act(server, request, body)

    server = serve(JudgeServer(otherwise=refuse_long))
    async with started(name="server", url=server.url) as classifier:
        good, bad = await classifier.logits(["ab", "a" * 20])
    assert good == 1.0
    assert isinstance(bad, EngineError)
    assert "maximum context length" in str(bad)


@pytest.mark.parametrize(
    ("garbage", "telling"),
    [
        (acts.raw("{}"), "expected one logit from the classifier's server, got '{}'"),
        (acts.raw('{"data": [{"probs": [0.1, 0.9]}]}'), "is it a classifier with one label"),
        (acts.raw('{"data": [{"probs": [NaN]}]}'), "expected a finite logit"),
    ],
)
async def test_garbage_is_a_transport_error_of_that_text(
    serve: Serve, garbage: acts.Act, telling: str
) -> None:
    server = serve(JudgeServer(garbage))
    async with started(name="server", url=server.url) as classifier:
        (found,) = await classifier.logits(["ab"])
    assert isinstance(found, TransportError)
    with pytest.raises(TransportError, match=telling):
        raise found
