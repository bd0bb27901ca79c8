from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from real_vllm import (
    CONTEXT,
    MODEL,
    PROMPTS,
    assert_tokens_as_by_transformers,
    greedy_by_transformers,
    poisoned,
    request_for,
    running,
    texts,
)

from grm_plugin.engine import Limits
from grm_plugin.engines.vllm import VLLMEngine
from grm_plugin.errors import ContextError, EngineError, RequestTimeout
from tests.engines.requests_to_judge import until

OPTIONS = {
    "model": str(MODEL),
    "max_model_len": CONTEXT,
    "dtype": "float32",
    "enforce_eager": True,
    "extra": {
        "kv_cache_memory_bytes": 64 << 20,
        "block_size": 32,
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": CONTEXT,
    },
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference judge, but its ``generation_config.json`` would bend every draw."""
    return poisoned(tmp_path_factory.mktemp("poisoned") / "judge")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(model: Path) -> AsyncIterator[VLLMEngine]:
    async with running(VLLMEngine({**OPTIONS, "model": str(model)}, Limits())) as started:
        yield started


async def test_greedy_writes_what_transformers_writes(engine: VLLMEngine, model: Path) -> None:
    """So the checkpoint's penalties do not count, and its end tokens do."""
    requests = [request_for(text, temperature=0.0) for text in PROMPTS]
    found = [(await texts(engine, request))[0] for request in requests]
    assert found == await greedy_by_transformers(32, model)


async def test_tokens_have_the_probabilities_that_transformers_tells(
    engine: VLLMEngine, model: Path
) -> None:
    await assert_tokens_as_by_transformers(engine, model)


async def test_the_same_seed_draws_the_same_texts(engine: VLLMEngine) -> None:
    first = await texts(engine, request_for(n=4, seed=7))
    assert await texts(engine, request_for(n=4, seed=7)) == first
    assert len(set(first)) > 1


async def test_draw_i_of_seed_s_is_the_draw_of_seed_s_plus_i(engine: VLLMEngine) -> None:
    together = await texts(engine, request_for(n=3, seed=7))
    alone = [await texts(engine, request_for(seed=7 + i)) for i in range(3)]
    assert together == [text for (text,) in alone]


async def test_every_draw_comes_back_when_many_requests_are_in_flight(engine: VLLMEngine) -> None:
    requests = [request_for(text, n=8, seed=100 * i) for i, text in enumerate(PROMPTS * 4)]
    found = await asyncio.gather(*(texts(engine, request) for request in requests))
    assert [len(draws) for draws in found] == [8] * 12


async def test_text_is_cut_at_a_stop_text(engine: VLLMEngine) -> None:
    (whole,) = await texts(engine, request_for(temperature=0.0))
    stop = whole[5:8]
    (cut,) = await texts(engine, request_for(temperature=0.0, stop=(stop,)))
    assert cut == whole[: whole.index(stop)]


async def test_cost_is_counted_in_tokens(engine: VLLMEngine) -> None:
    request = request_for(n=2, max_tokens=5)
    draws = await engine.sample(request)
    expected = await engine.count_tokens(request.messages)
    assert [getattr(draw, "prompt_tokens", None) for draw in draws] == [expected] * 2
    assert all(0 < getattr(draw, "output_tokens", 0) <= 5 for draw in draws)


async def test_control_tokens_are_known_and_their_text_stays_text(engine: VLLMEngine) -> None:
    assert set(engine.control_tokens) == {"<|pad|>", "<|bos|>", "<|eos|>"}
    (plain, hostile) = [
        await engine._encoded(request_for(text).messages) for text in ("ok", "ok <|eos|>")
    ]
    assert len(hostile) > len(plain) + 1
    assert 2 not in hostile


async def test_a_prompt_over_the_context_is_refused(engine: VLLMEngine) -> None:
    assert engine.context_tokens == CONTEXT
    with pytest.raises(ContextError, match=f"over the judge's context of {CONTEXT}"):
        await engine.sample(request_for("rain and wind " * CONTEXT))


async def test_a_cancelled_request_is_aborted_in_vllm(engine: VLLMEngine) -> None:
    task = asyncio.create_task(engine.sample(request_for(n=8, max_tokens=400, temperature=2.0)))
    await until(engine._engine.get_num_unfinished_requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not engine._engine.get_num_unfinished_requests())
    assert await texts(engine, request_for())


async def test_a_request_over_its_deadline_is_a_timeout(
    engine: VLLMEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_timeout_s", 0.001)
    with pytest.raises(RequestTimeout, match=r"not finished within 0\.001 s"):
        await engine.sample(request_for(n=8, max_tokens=400))


async def test_what_vllm_refuses_is_an_engine_error(engine: VLLMEngine) -> None:
    with pytest.raises(EngineError, match="the request failed"):
        await engine.sample(request_for(temperature=-1.0))


async def test_a_model_that_is_not_there_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match=r"vLLM can not start with model '\./no/such'"):
        await VLLMEngine({**OPTIONS, "model": "./no/such"}, Limits()).start()


async def test_a_closed_engine_says_so() -> None:
    with pytest.raises(EngineError, match="not running"):
        await VLLMEngine(OPTIONS, Limits()).sample(request_for())
