"""What a server says at the start, and what it may not say and still judge."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from grm_plugin.engine import Draw
from grm_plugin.errors import RefusedError
from tests.engines.conftest import Serve
from tests.engines.judge_server import JudgeServer
from tests.engines.requests_to_judge import request_for
from tests.engines.test_server_engine import engine_for


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-open-and-known")


def listing(serve: Serve, status: int, text: str) -> JudgeServer:
    server = JudgeServer()
    server.listing = web.Response(text=text, status=status)
    return serve(server)


NO_LIST = [(200, "<html>starting</html>"), (200, "[]"), (400, "no"), (413, "no"), (418, "no")]


@pytest.mark.parametrize(("status", "text"), [*NO_LIST, (401, "no"), (500, "no"), (503, "no")])
async def test_a_replica_that_shows_no_list_is_put_aside(
    serve: Serve, status: int, text: str
) -> None:
    odd, good = listing(serve, status, text), serve(JudgeServer())
    async with engine_for(urls=[odd.url, good.url], start_timeout_s=0) as engine:
        assert isinstance((await engine.sample(request_for()))[0], Draw)
    assert len(good.bodies) == 1 and not odd.bodies


@pytest.mark.parametrize(("status", "text"), NO_LIST)
async def test_what_is_no_judge_server_is_not_waited_for(
    serve: Serve, status: int, text: str
) -> None:
    with pytest.raises(RefusedError, match="no judge server can be used: http://127"):
        async with engine_for(listing(serve, status, text), start_timeout_s=300, model="judge"):
            pass


@pytest.mark.parametrize("provider", [None, "openai"])
async def test_a_key_without_a_right_to_the_list_may_still_have_the_model(
    serve: Serve, provider: str | None
) -> None:
    server = listing(serve, 403, "Missing scopes: api.model.read")
    named: dict[str, Any] = {"model": "judge", "provider": provider, "api_key_env": "JUDGE_KEY"}
    async with engine_for(server, **named) as engine:
        assert isinstance((await engine.sample(request_for()))[0], Draw)


async def test_a_key_without_a_right_to_the_list_needs_the_name_of_the_model(serve: Serve) -> None:
    server = listing(serve, 403, "Missing scopes: api.model.read")
    with pytest.raises(RefusedError, match=r"Missing scopes.*name the judge with model"):
        async with engine_for(server, start_timeout_s=300):
            pass


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410])
async def test_whatever_a_provider_without_a_list_answers_is_a_sign_of_life(
    serve: Serve, status: int
) -> None:
    server = listing(serve, status, "no")
    more = {"provider": "anthropic", "model": "c", "api_key_env": "JUDGE_KEY"}
    async with engine_for(server, **more) as engine:
        assert isinstance((await engine.sample(request_for()))[0], Draw)


async def test_a_provider_whose_name_is_misspelt_is_not_waited_for() -> None:
    more = {"provider": "anthropic", "model": "c", "api_key_env": "JUDGE_KEY"}
    with pytest.raises(RefusedError, match="is it spelt right in url"):
        async with engine_for(url="https://api.judge.invalid/v1", start_timeout_s=300, **more):
            pass
