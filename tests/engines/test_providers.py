"""Each provider's preset against a stand-in with the quirks that its documentation names."""

from __future__ import annotations

from typing import Any

import pytest

from grm_plugin.engine import Draw, Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import ConfigError, RefusedError
from grm_plugin.remote.providers import PROVIDERS
from tests.engines.conftest import Serve
from tests.engines.judge_server import JudgeServer
from tests.engines.providers import KEY, QUIRKS, stand_in
from tests.engines.requests_to_judge import request_for
from tests.engines.test_server_engine import engine_for


def preset(name: str, server: JudgeServer, **more: Any) -> dict[str, Any]:
    query = dict(QUIRKS[name].query)
    named = {"provider": name, "model": "judge", "api_key_env": "JUDGE_KEY", "query": query}
    return {**named, "url": f"{server.url}{server.api}", **more}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)


def test_there_is_a_stand_in_for_every_provider() -> None:
    assert QUIRKS.keys() == PROVIDERS.keys()


@pytest.mark.parametrize("name", QUIRKS)
async def test_a_preset_is_refused_nothing_and_brings_every_draw(
    serve: Serve, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(stand_in(QUIRKS[name]))
    async with engine_for(**preset(name, server)) as engine:
        draws = await engine.sample(request_for(n=9, seed=40))
    texts = [draw.text for draw in draws if isinstance(draw, Draw) and draw.finish_reason == "stop"]
    assert len(texts) == 9
    if QUIRKS[name].seed:
        assert texts == [f"judgment of seed {seed}" for seed in range(40, 49)]
    assert not [one for one in caplog.records if one.levelname == "WARNING"]


@pytest.mark.parametrize("name", QUIRKS)
async def test_a_seed_that_is_not_sent_is_in_the_record(serve: Serve, name: str) -> None:
    server = serve(stand_in(QUIRKS[name]))
    async with engine_for(**preset(name, server)) as engine:
        altered = {} if QUIRKS[name].seed else {"not_sent": ["seed"]}
        assert engine.altered == altered


async def test_what_a_preset_leaves_out_can_be_sent(serve: Serve) -> None:
    server = serve(stand_in(QUIRKS["vllm"]))
    more = {"fields": {"seed": "seed", "n": "n", "top_p": "top_p"}}
    async with engine_for(**preset("anthropic", server, **more)) as one:
        await one.sample(request_for(n=3))
    assert {"seed": 7, "n": 3, "top_p": 1.0}.items() <= server.bodies[0].items()


async def test_a_model_that_refuses_a_temperature_says_how_to_leave_it_out(serve: Serve) -> None:
    quirks = QUIRKS["openai"]
    server = serve(
        stand_in(quirks.__class__(**vars(quirks) | {"takes": quirks.takes - {"temperature"}}))
    )
    said = "not supported with this model.*; to leave it out: engine.fields: {temperature: null}"
    async with engine_for(**preset("openai", server)) as engine:
        with pytest.raises(RefusedError, match=said):
            await engine.sample(request_for())
    async with engine_for(**preset("openai", server, fields={"temperature": None})) as engine:
        await engine.sample(request_for())
        assert engine.altered == {"not_sent": ["temperature"]}


def test_a_key_goes_only_where_its_provider_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that nobody named is not handed to an address that somebody else named."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai-alone")
    named = {"provider": "openai", "model": "judge"}
    own = ServerEngine(named, Limits())._connection._access
    other = ServerEngine({**named, "url": "http://gateway"}, Limits())._connection._access
    assert own.headers["Authorization"] == "Bearer sk-of-openai-alone"
    assert "Authorization" not in other.headers


@pytest.mark.parametrize(
    ("options", "telling"),
    [
        ({"provider": "opnai"}, "unknown provider 'opnai'.*did you mean 'openai'"),
        ({"provider": "azure", "model": "m"}, "exactly one of url, urls and serve, got none"),
        ({"provider": "openai"}, "provider openai: name the judge with model"),
        ({"provider": "openai", "model": "m"}, "variable OPENAI_API_KEY is not set"),
        ({"url": "http://h?api-version=1"}, "must not carry a query.*query: {name: value}"),
        ({"url": "http://h", "fields": {"tmperature": None}}, "did you mean 'temperature'"),
        ({"url": "http://h", "fields": {"seed": "top_p"}}, "top_p is sent already"),
        ({"url": "http://h", "fields": {"max_tokens": "k"}, "extra_body": {"k": 1}}, "set k"),
    ],
)
def test_wrong_options_of_a_provider_are_config_errors(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], telling: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=telling):
        ServerEngine(options, Limits())
