from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from real_vllm import (
    CONTEXT,
    FAST,
    MODEL,
    PROMPTS,
    assert_tokens_as_by_transformers,
    greedy_by_transformers,
    poisoned,
    request_for,
    running,
    texts,
)

from grm_plugin.engine import Draw, Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.engines.transformers import TransformersEngine
from grm_plugin.errors import ContextError, EngineError, TransportError
from grm_plugin.remote.launching.launch import ServeOptions, ServerProcess
from grm_plugin.remote.secret import Secret

ARGS = (
    *("--max-model-len", str(CONTEXT), "--max-num-batched-tokens", str(CONTEXT)),
    *("--dtype", "float32", "--enforce-eager", "--no-enable-chunked-prefill"),
    *("--kv-cache-memory-bytes", str(64 << 20), "--block-size", "32"),
    "--enable-prompt-tokens-details",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference judge, but its ``generation_config.json`` would bend every draw."""
    return poisoned(tmp_path_factory.mktemp("poisoned") / "judge")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(
    model: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServerEngine]:
    log = tmp_path_factory.mktemp("serve") / "server.log"
    serve = {"model": str(model), "args": ARGS, "env": FAST, "log": log, "start_timeout_s": 400}
    async with running(ServerEngine({"serve": serve}, Limits(tries=2))) as started:
        yield started


async def greedy(engine: ServerEngine) -> list[str]:
    requests = [request_for(text, temperature=0.0) for text in PROMPTS]
    return [(await texts(engine, request))[0] for request in requests]


async def test_greedy_writes_what_transformers_writes(engine: ServerEngine, model: Path) -> None:
    """So the checkpoint's penalties do not count, and its end tokens do."""
    assert await greedy(engine) == await greedy_by_transformers(32, model)


async def test_a_server_of_others_with_a_poisoned_checkpoint_writes_the_same(model: Path) -> None:
    args = (*ARGS, "--generation-config", "auto")
    serve = ServeOptions(model=str(model), args=args, env=FAST, start_timeout_s=400)
    process = ServerProcess(serve, Secret(), "the test")
    try:
        url = await process.start()
        async with running(ServerEngine({"url": url}, Limits(tries=2))) as engine:
            assert await greedy(engine) == await greedy_by_transformers(32, model)
            engine._shape._neutral = {}
            assert await greedy(engine) != await greedy_by_transformers(32, model)
    finally:
        await process.close()


async def test_tokens_have_the_probabilities_that_transformers_tells(
    engine: ServerEngine, model: Path
) -> None:
    await assert_tokens_as_by_transformers(engine, model)


async def test_the_same_seed_draws_the_same_texts(engine: ServerEngine) -> None:
    first = await texts(engine, request_for(n=4, seed=7))
    assert await texts(engine, request_for(n=4, seed=7)) == first
    assert len(set(first)) > 1


async def test_draws_say_what_the_server_had_cached(engine: ServerEngine) -> None:
    request = request_for("Response 1: snow\n" * 12)
    first, again = [(await engine.sample(request))[0] for _ in range(2)]
    assert not first.cached_tokens
    assert 0 < again.cached_tokens < again.prompt_tokens


async def test_draw_i_of_seed_s_is_the_draw_of_seed_s_plus_i(engine: ServerEngine) -> None:
    together = await texts(engine, request_for(n=3, seed=7))
    alone = [await texts(engine, request_for(seed=7 + i)) for i in range(3)]
    assert together == [text for (text,) in alone]


async def test_context_and_prompt_tokens_are_known(engine: ServerEngine) -> None:
    assert engine.context_tokens == CONTEXT
    messages = request_for().messages
    async with running(TransformersEngine({"model": str(MODEL)}, Limits())) as local:
        assert await engine.count_tokens(messages) == await local.count_tokens(messages)


async def test_control_tokens_are_read_off_the_frame_that_vllm_writes(
    engine: ServerEngine,
) -> None:
    assert engine.control_tokens == ("<|bos|>",)


async def test_a_prompt_over_the_context_is_a_context_error(engine: ServerEngine) -> None:
    with pytest.raises(ContextError, match=str(CONTEXT)):
        await engine.sample(request_for("rain and wind " * CONTEXT))


async def test_a_refusal_carries_vllms_words(engine: ServerEngine) -> None:
    with pytest.raises(EngineError, match=r"HTTP 400.*temperature") as caught:
        await engine.sample(request_for(temperature=-1.0))
    assert not isinstance(caught.value, TransportError)


async def test_a_cancelled_request_is_aborted_in_vllm(engine: ServerEngine) -> None:
    task = asyncio.create_task(_keeps_asking(engine, PROMPTS[0]))
    await _until_vllm_works(engine, True)
    task.cancel()
    await _until_vllm_works(engine, False)


async def _keeps_asking(engine: ServerEngine, text: str) -> None:
    """Requests without end: one alone may be answered before anybody sees it."""
    while True:
        await engine.sample(request_for(text, n=8, max_tokens=400, temperature=2.0))


async def _until_vllm_works(engine: ServerEngine, works: bool) -> None:
    async with asyncio.timeout(60):
        while bool(await _running(engine)) is not works:
            await asyncio.sleep(0.01)


async def _running(engine: ServerEngine) -> float:
    """Sequences that the server works on, by its own count."""
    root = engine._connection._replicas[0].root
    async with aiohttp.ClientSession() as session, session.get(f"{root}/metrics") as response:
        lines = (await response.text()).splitlines()
    (line,) = [one for one in lines if one.startswith("vllm:num_requests_running")]
    return float(line.split()[-1])


async def test_a_server_killed_half_way_is_started_again_and_answers_what_waits(
    engine: ServerEngine,
) -> None:
    """The last test of this module: the server is another one afterwards."""
    tasks = [asyncio.create_task(_keeps_asking(engine, text)) for text in PROMPTS]
    await _until_vllm_works(engine, True)
    process = engine._connection._process
    assert process is not None
    killed = process.pid
    os.killpg(killed, signal.SIGKILL)
    async with asyncio.timeout(250):
        while process.pid in (0, killed):
            await asyncio.sleep(0.5)
        (draw,) = await _sampled_at_last(engine)
    assert isinstance(draw, Draw)
    for task in tasks:
        task.cancel()


async def _sampled_at_last(engine: ServerEngine) -> Sequence[Draw | EngineError]:
    while True:
        try:
            return await engine.sample(request_for())
        except TransportError:  # it loads longer than requests wait here
            await asyncio.sleep(1)
