from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

import tests.engines.judge_server as acts
from grm_plugin.engine import Draw, Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import (
    ConfigError,
    ContextError,
    DeclinedError,
    EngineError,
    RefusedError,
    RequestTimeout,
    TransportError,
)
from tests.engines.judge_server import JudgeServer
from tests.engines.requests_to_judge import request_for, until

Serve = Callable[[JudgeServer], JudgeServer]


@asynccontextmanager
async def engine_for(
    *servers: JudgeServer, limits: Limits | None = None, **options: Any
) -> AsyncIterator[ServerEngine]:
    options.setdefault("urls", [server.url for server in servers])
    options.setdefault("start_timeout_s", 0)
    engine = ServerEngine(options, limits or Limits(tries=3))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def test_several_models_and_none_named_is_an_error_with_the_list(serve: Serve) -> None:
    """A server of a LoRA judge lists its base first, which must not judge in its place."""
    server = serve(JudgeServer(model="org/base-7b"))
    server.others = ["my-grm-lora"]
    said = r"expected one model at http.*, got 2: 'org/base-7b', 'my-grm-lora'; name the judge with"
    with pytest.raises(EngineError, match=said):
        async with engine_for(server):
            pass
    async with engine_for(server, model="my-grm-lora") as engine:
        await engine.sample(request_for())
    assert server.bodies[0]["model"] == "my-grm-lora"


async def test_servers_of_several_models_and_none_named_is_an_error(serve: Serve) -> None:
    servers = serve(JudgeServer(model="one")), serve(JudgeServer(model="two"))
    with pytest.raises(EngineError, match="got 2: 'one', 'two'; name the judge with model"):
        async with engine_for(*servers):
            pass


async def test_control_tokens_are_those_named_and_those_of_the_servers_own_frame(
    serve: Serve,
) -> None:
    server = serve(JudgeServer())
    frame = ["<bos>", "<|turn>", "user", "Ċ", "x", "<turn|>", "Ċ", "]:", "(a)", "<|turn>", "model"]
    async with engine_for(server, control_tokens=["◁mine▷"]) as engine:
        assert engine.control_tokens == ("◁mine▷",)
        server.frame = frame
        await engine.start()
        assert engine.control_tokens == ("◁mine▷", "<bos>", "<|turn>", "<turn|>")


async def test_one_post_brings_n_draws_in_the_order_of_their_seeds(serve: Serve) -> None:
    server = serve(JudgeServer())
    async with engine_for(server) as engine:
        draws = await engine.sample(request_for(n=3, seed=40))
    assert [draw.text for draw in draws if isinstance(draw, Draw)] == [
        f"judgment of seed {seed}" for seed in (40, 41, 42)
    ]
    assert len(server.bodies) == 1


async def test_the_sampling_is_sent_as_asked(serve: Serve) -> None:
    server = serve(JudgeServer())
    async with engine_for(server, extra_body={"top_k": 20}) as engine:
        await engine.sample(
            request_for("hi", n=2, seed=5, temperature=0.5, top_p=0.9, max_tokens=8, stop=("x",))
        )
    assert server.bodies[0] == {
        "model": "judge",
        "messages": [{"role": "user", "content": "hi"}],
        "n": 2,
        "seed": 5,
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 8,
        "stop": ["x"],
        "top_k": 20,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
    }


async def test_the_output_tokens_of_a_request_are_shared_among_its_draws(serve: Serve) -> None:
    async with engine_for(serve(JudgeServer())) as engine:
        draws = await engine.sample(request_for(n=3))
    assert [draw.output_tokens for draw in draws if isinstance(draw, Draw)] == [6, 5, 5]
    assert all(isinstance(draw, Draw) and draw.prompt_tokens == 7 for draw in draws)


async def test_model_and_context_are_what_the_server_says(serve: Serve) -> None:
    async with engine_for(serve(JudgeServer(model="grm"))) as engine:
        assert (engine.model, engine.context_tokens) == ("grm", 4096)


async def test_the_smallest_context_of_several_servers_counts(serve: Serve) -> None:
    small = JudgeServer()
    small.max_model_len = 512
    async with engine_for(serve(JudgeServer()), serve(small)) as engine:
        assert engine.context_tokens == 512


async def test_a_model_that_is_not_served_is_an_error_that_names_what_is(serve: Serve) -> None:
    with pytest.raises(EngineError, match="unknown model 'jugde'; known: judge; did you mean"):
        async with engine_for(serve(JudgeServer()), model="jugde"):
            pass


async def test_no_server_is_an_error_that_says_how_to_start_one() -> None:
    with pytest.raises(EngineError) as caught:
        async with engine_for(url="http://127.0.0.1:9"):
            pass
    assert "no judge server answers" in str(caught.value)
    assert "connection refused" in str(caught.value)
    assert "vllm serve MODEL --port 8001" in str(caught.value)


async def test_tokens_are_counted_by_the_server(serve: Serve) -> None:
    async with engine_for(serve(JudgeServer())) as engine:
        assert await engine.count_tokens(request_for("one two three").messages) == 3


async def test_a_server_that_can_not_count_is_asked_once(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=acts.status(404)))
    async with engine_for(server) as engine:
        for _ in range(3):
            assert await engine.count_tokens(request_for().messages) is None
    assert len(server.bodies) == 1


async def test_a_cut_judgment_has_the_finish_reason_length(serve: Serve) -> None:
    server = serve(JudgeServer(acts.choices_with(finish_reason="length")))
    async with engine_for(server) as engine:
        (draw,) = await engine.sample(request_for())
    assert isinstance(draw, Draw)
    assert draw.finish_reason == "length"


async def test_any_other_finish_reason_fails_the_draw(serve: Serve) -> None:
    server = serve(JudgeServer(acts.choices_with(finish_reason="abort")))
    async with engine_for(server) as engine:
        draws = await engine.sample(request_for(n=2))
    assert all(isinstance(draw, TransportError) for draw in draws)
    assert "'abort'" in str(draws[0])


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_comes_back_as_thinking_text(serve: Serve, field: str) -> None:
    message = {"content": "the end", field: "hm"}
    server = serve(JudgeServer(acts.choices_with(message=message)))
    async with engine_for(server) as engine:
        (draw,) = await engine.sample(request_for())
    assert isinstance(draw, Draw)
    assert draw.text == "<think>hm</think>the end"


async def test_429_is_retried_and_counts_no_failure(serve: Serve) -> None:
    busy = [acts.status(429, Retry_After="0")] * 5
    server = serve(JudgeServer(*busy))
    async with engine_for(server, limits=Limits(tries=6)) as engine:
        (draw,) = await engine.sample(request_for())
        assert isinstance(draw, Draw)
        client = engine._connection._client
        assert client is not None
        assert client.router.replicas[0].faults == 0


async def test_retry_after_is_honoured(serve: Serve) -> None:
    server = serve(JudgeServer(acts.status(503, Retry_After="2")))
    started = time.monotonic()
    async with engine_for(server) as engine:
        await engine.sample(request_for())
    assert time.monotonic() - started >= 2


@pytest.mark.parametrize(
    "fault", [acts.status(500), acts.status(408), acts.drop, acts.die_half_way]
)
async def test_a_transport_fault_is_retried(serve: Serve, fault: acts.Act) -> None:
    server = serve(JudgeServer(fault))
    async with engine_for(server) as engine:
        (draw,) = await engine.sample(request_for())
    assert isinstance(draw, Draw)
    assert len(server.bodies) == 2


@pytest.mark.parametrize("fault", [acts.status(500, "out of order", Retry_After="0"), acts.drop])
async def test_tries_are_limited(serve: Serve, fault: acts.Act) -> None:
    server = serve(JudgeServer(otherwise=fault))
    async with engine_for(server, limits=Limits(tries=2)) as engine:
        with pytest.raises(TransportError, match="gave up after 2 tries"):
            await engine.sample(request_for())
    assert len(server.bodies) == 2


async def test_a_server_that_is_gone_is_waited_for_and_then_a_transport_error() -> None:
    server = JudgeServer()
    with server.running():
        engine = ServerEngine({"url": server.url}, Limits(tries=2, request_timeout_s=1.5))
        await engine.start()
    started = time.monotonic()
    with pytest.raises(TransportError, match=r"connection refused \(waited for 1\.5 s"):
        await engine.sample(request_for())
    assert 1.5 <= time.monotonic() - started < 4
    await engine.close()


@pytest.mark.parametrize(
    ("garbage", "telling"),
    [
        (acts.raw("<html>oops</html>"), "expected JSON, got '<html>oops</html>'"),
        (acts.raw("\udcff\udcfe"), "expected JSON"),
        (acts.raw("[" * 100_000), "expected JSON"),
        (acts.raw("[1, 2]"), "expected a chat completion"),
        (acts.raw("{}"), "expected a chat completion .* got '{}'"),
        (acts.raw('{"choices": []}'), "expected a chat completion"),
        (acts.huge, "the answer is over 100000 bytes"),
    ],
)
async def test_garbage_from_the_server_is_a_transport_error_and_not_retried(
    serve: Serve, garbage: acts.Act, telling: str
) -> None:
    server = serve(JudgeServer(garbage))
    async with engine_for(server, max_response_bytes=100_000) as engine:
        with pytest.raises(TransportError, match=telling):
            await engine.sample(request_for())
    assert len(server.bodies) == 1


async def test_a_refusal_of_a_harmless_text_too_is_for_good_with_the_servers_words(
    serve: Serve,
) -> None:
    server = serve(JudgeServer(otherwise=acts.status(400, "be nice")))
    async with engine_for(server) as engine:
        with pytest.raises(RefusedError, match=r"HTTP 400: 'be nice'; .*a harmless text, too"):
            await engine.sample(request_for("ba be bi"))
    assert [body["messages"][0]["content"] == "ba be bi" for body in server.bodies] == [True, False]


async def test_a_refusal_of_one_text_costs_that_text_and_the_server_is_asked_once_whether_it_is(
    serve: Serve,
) -> None:
    server = serve(JudgeServer(acts.status(400, "not this one")))
    async with engine_for(server) as engine:
        with pytest.raises(DeclinedError, match="with another text the server takes such"):
            await engine.sample(request_for())
        server.acts.append(acts.status(400, "nor this one"))
        with pytest.raises(DeclinedError, match="nor this one"):
            await engine.sample(request_for())
    assert len(server.bodies) == 3


async def test_many_refusals_at_once_are_cleared_up_by_one_request(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=acts.status(400, "be nice")))
    async with engine_for(server) as engine:
        asked = (engine.sample(request_for()) for _ in range(20))
        found = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, RefusedError) for one in found)
    assert len(server.bodies) == 21


async def test_a_prompt_over_the_context_is_a_context_error(serve: Serve) -> None:
    words = "This model's maximum context length is 4096 tokens. However, you requested 5000"
    async with engine_for(serve(JudgeServer(acts.status(400, words)))) as engine:
        with pytest.raises(ContextError, match="4096"):
            await engine.sample(request_for())


async def test_a_redirect_is_not_followed(serve: Serve) -> None:
    server = serve(JudgeServer(acts.status(307, Location="/v1/models")))
    async with engine_for(server) as engine:
        with pytest.raises(EngineError, match="HTTP 307"):
            await engine.sample(request_for())


async def test_a_server_that_hangs_is_a_timeout_and_not_retried(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=acts.hang))
    async with engine_for(server, limits=Limits(request_timeout_s=0.3)) as engine:
        with pytest.raises(RequestTimeout, match=r"no answer within 0\.3 s") as caught:
            await engine.sample(request_for())
    assert caught.value.reason == "timeout"
    assert len(server.bodies) == 1


async def test_the_deadline_bounds_a_request_with_all_its_tries(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=acts.status(503, "loading", Retry_After="20")))
    async with engine_for(server, limits=Limits(request_timeout_s=0.5)) as engine:
        with pytest.raises(RequestTimeout, match="loading"):
            await engine.sample(request_for())


async def test_waiting_in_our_own_queue_does_not_count_against_the_deadline(serve: Serve) -> None:
    server = JudgeServer()
    server.pause_s = 0.4
    limits = Limits(max_concurrent_samples=1, request_timeout_s=2.0)
    async with engine_for(serve(server), limits=limits) as engine:
        found = await asyncio.gather(*(engine.sample(request_for()) for _ in range(6)))
    assert all(isinstance(draw, Draw) for draws in found for draw in draws)


async def test_a_cancelled_request_is_aborted_at_the_server(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=acts.hang))
    async with engine_for(server) as engine:
        task = asyncio.create_task(engine.sample(request_for()))
        await until(lambda: bool(server.bodies))
        task.cancel()
        await until(lambda: server.aborted == 1)


async def test_no_more_draws_than_the_limit_are_in_flight(serve: Serve) -> None:
    server = JudgeServer()
    server.pause_s = 0.02
    limits = Limits(max_concurrent_samples=8)
    async with engine_for(serve(server), limits=limits) as engine:
        await asyncio.gather(*(engine.sample(request_for(n=3)) for _ in range(12)))
        assert server.most == 6
        await engine.sample(request_for(n=20))
    assert len(server.bodies) == 13


async def test_a_group_goes_to_one_server_and_groups_are_spread(serve: Serve) -> None:
    servers = [serve(JudgeServer()), serve(JudgeServer())]
    async with engine_for(*servers) as engine:
        requests = [request_for(f"g{i % 4}", group=f"g{i % 4}") for i in range(16)]
        await asyncio.gather(*(engine.sample(request) for request in requests))
    seen = [{body["messages"][0]["content"] for body in server.bodies} for server in servers]
    assert [len(groups) for groups in seen] == [2, 2]
    assert not seen[0] & seen[1]


async def test_a_failing_server_is_put_aside_and_the_others_do_its_work(serve: Serve) -> None:
    bad, good = serve(JudgeServer(otherwise=acts.drop)), serve(JudgeServer())
    async with engine_for(bad, good) as engine:
        for i in range(12):
            (draw,) = await engine.sample(request_for(group=f"g{i}"))
            assert isinstance(draw, Draw)
    assert len(bad.bodies) < 6
    assert len(good.bodies) == 12


async def test_a_start_needs_one_server_of_several(serve: Serve) -> None:
    alive = serve(JudgeServer())
    async with engine_for(urls=["http://127.0.0.1:9", alive.url]) as engine:
        for _ in range(4):
            (draw,) = await engine.sample(request_for())
            assert isinstance(draw, Draw)


async def test_the_key_is_sent_and_shown_nowhere(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-hush-hush")
    caplog.set_level("DEBUG")
    server = serve(JudgeServer(acts.status(401, "bad key sk-hush-hush")))
    async with engine_for(server, api_key_env="JUDGE_KEY") as engine:
        with pytest.raises(EngineError, match="bad key") as caught:
            await engine.sample(request_for())
        shown = f"{caught.value} {engine.options!r} {vars(engine._connection)} {caplog.text}"
    assert server.headers[0]["Authorization"] == "Bearer sk-hush-hush"
    assert "sk-hush" not in shown


def test_a_key_in_place_of_its_name_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="name of an environment variable") as caught:
        ServerEngine({"url": "http://h", "api_key_env": "sk-hush-hush"}, Limits())
    assert "hush" not in str(caught.value)


def test_a_key_that_is_not_set_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="environment variable NO_SUCH_KEY is not set"):
        ServerEngine({"url": "http://h", "api_key_env": "NO_SUCH_KEY"}, Limits())


@pytest.mark.parametrize(
    ("options", "telling"),
    [
        ({}, "exactly one of url, urls and serve, got none"),
        ({"url": "http://a", "urls": ["http://b"]}, "got url and urls"),
        ({"url": "http://a", "extra_body": {"n": 3}}, "extra_body must not set n"),
        ({"ulr": "http://a"}, "unknown key 'ulr'.*did you mean 'url'"),
    ],
)
def test_wrong_options_are_config_errors(options: dict[str, Any], telling: str) -> None:
    with pytest.raises(ConfigError, match=telling):
        ServerEngine(options, Limits())


async def test_errors_survive_pickling(serve: Serve) -> None:
    async with engine_for(
        serve(JudgeServer(otherwise=acts.status(500, Retry_After="0")))
    ) as engine:
        with pytest.raises(TransportError) as caught:
            await engine.sample(request_for())
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
