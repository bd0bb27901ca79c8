from __future__ import annotations

import asyncio
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.engines.transformers import TransformersEngine
from grm_plugin.errors import ConfigError, ContextError, EngineError, RequestTimeout
from tests.engines.requests_to_judge import request_for, until

torch = pytest.importorskip("torch")

PROMPTS = ("ba", "ba be bi bo", "ka ki ku " * 12, "la")


@asynccontextmanager
async def engine_for(
    model: Path, limits: Limits | None = None, **options: Any
) -> AsyncIterator[TransformersEngine]:
    engine = TransformersEngine({"model": str(model), **options}, limits or Limits())
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


async def drawn(engine: TransformersEngine, request: SampleRequest) -> list[Draw]:
    draws = await engine.sample(request)
    assert all(isinstance(draw, Draw) for draw in draws), draws
    return [draw for draw in draws if isinstance(draw, Draw)]


def texts(draws: Sequence[Draw]) -> list[str]:
    return [draw.text for draw in draws]


async def test_the_same_seed_draws_the_same_texts(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        first = texts(await drawn(engine, request_for(n=3, seed=7)))
        assert texts(await drawn(engine, request_for(n=3, seed=7))) == first
        assert texts(await drawn(engine, request_for(n=3, seed=70))) != first


@pytest.mark.filterwarnings("error::FutureWarning")
async def test_generation_uses_nothing_that_transformers_is_about_to_remove(
    judge_folder: Path,
) -> None:
    async with engine_for(judge_folder) as engine:
        await drawn(engine, request_for(n=2, seed=7))


async def test_prompts_of_unlike_length_are_not_padded_to_the_longest(judge_folder: Path) -> None:
    requests = [request_for("ba", n=13), request_for("ka ki ku " * 60, n=1)]
    async with engine_for(judge_folder, batch_cost_tokens=100) as engine:
        shapes: list[tuple[int, int]] = []
        model = engine._generator.model  # type: ignore[union-attr]
        model.register_forward_pre_hook(
            lambda _, args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)),
            with_kwargs=True,
        )
        await asyncio.gather(*(drawn(engine, request) for request in requests))
    prefills = [shape for shape in shapes if shape[1] > 1]
    assert [rows for rows, _ in prefills] == [1, 13]
    assert prefills[0][1] > 180
    assert prefills[1][1] < 10


async def test_a_draw_does_not_depend_on_its_batch(judge_folder: Path) -> None:
    requests = [request_for(text, n=4, seed=10 * i) for i, text in enumerate(PROMPTS)]
    async with engine_for(judge_folder) as engine:
        alone = [texts(await drawn(engine, request)) for request in requests]
        together = await asyncio.gather(*(drawn(engine, request) for request in requests[::-1]))
    assert [texts(draws) for draws in together[::-1]] == alone
    async with engine_for(judge_folder, batch_tokens=1) as engine:
        one_by_one = await asyncio.gather(*(drawn(engine, request) for request in requests))
    assert [texts(draws) for draws in one_by_one] == alone


async def test_draw_i_of_seed_s_is_the_draw_of_seed_s_plus_i(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        together = texts(await drawn(engine, request_for(n=3, seed=7)))
        alone = [texts(await drawn(engine, request_for(seed=7 + i)))[0] for i in range(3)]
    assert together == alone


async def test_rows_of_one_batch_keep_their_own_temperature_and_limit(judge_folder: Path) -> None:
    greedy = request_for("ba be", n=2, temperature=0.0, max_tokens=10)
    hot = request_for("ba be", n=2, temperature=1.5, max_tokens=30)
    async with engine_for(judge_folder) as engine:
        cold, warm = await asyncio.gather(drawn(engine, greedy), drawn(engine, hot))
        assert texts(await drawn(engine, greedy)) == texts(cold)
    assert cold[0].text == cold[1].text
    assert warm[0].text != warm[1].text
    assert max(draw.output_tokens for draw in cold) <= 10 < max(draw.output_tokens for draw in warm)


async def test_greedy_equals_plain_generate(judge_folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    model = AutoModelForCausalLM.from_pretrained(judge_folder)
    tokenizer = AutoTokenizer.from_pretrained(judge_folder)
    model.generation_config = GenerationConfig(eos_token_id=[3, 4], pad_token_id=1)
    prompt = tokenizer("<user> ba be <assistant>", return_tensors="pt")
    plain = model.generate(**prompt, max_new_tokens=20)[0, prompt.input_ids.shape[1] :]
    async with engine_for(judge_folder) as engine:
        (draw,) = await drawn(engine, request_for("ba be", temperature=0.0, max_tokens=20))
    # the weights ask for a repetition penalty, which would bend what is sampled
    assert draw.text == tokenizer.decode(plain, skip_special_tokens=True)


async def test_the_finish_reason_tells_an_end_from_a_cut(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        draws = await drawn(engine, request_for(n=32, max_tokens=24))
    assert {draw.finish_reason for draw in draws} == {"stop", "length"}
    for draw in draws:
        ended = draw.finish_reason == "stop"
        assert draw.output_tokens == 24 or ended
        # a token is a word or, as the end is, has no text
        assert len(draw.text.split()) <= draw.output_tokens - ended


async def test_text_is_cut_at_a_stop_text(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        whole = await drawn(engine, request_for(n=8, seed=3))
        stop = whole[0].text.split()[2]
        cut = await drawn(engine, request_for(n=8, seed=3, stop=(stop,)))
    assert cut[0].finish_reason == "stop"
    assert cut[0].output_tokens == 3
    assert texts(cut) == [text.split(stop)[0] for text in texts(whole)]


async def test_tokens_are_counted_as_the_chat_template_makes_them(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        request = request_for("ba be bi")
        assert await engine.count_tokens(request.messages) == 5
        (draw,) = await drawn(engine, request)
        assert draw.prompt_tokens == 5


async def test_a_model_without_a_chat_template_gets_the_plain_text(tmp_path: Path) -> None:
    from tests.engines.tiny_models import save_judge

    async with engine_for(save_judge(tmp_path, chat=False)) as engine:
        assert await engine.count_tokens(request_for("ba be bi").messages) == 3


async def test_a_tokenizer_without_a_pad_token_draws_the_same(
    judge_folder: Path, tmp_path: Path
) -> None:
    from tests.engines.tiny_models import save_judge

    found = []
    for folder in (judge_folder, save_judge(tmp_path, pad=False)):
        async with engine_for(folder) as engine:
            requests = (request_for(text, n=2) for text in PROMPTS)
            found.append(await asyncio.gather(*(drawn(engine, one) for one in requests)))
    with_pad, without = [[texts(draws) for draws in run] for run in found]
    # to the second tokenizer "<pad>" is a word like others, which a random model may write
    assert [[" ".join(text.replace("<pad>", "").split()) for text in run] for run in without] == (
        with_pad
    )


async def test_a_prompt_over_the_context_is_refused_and_not_truncated(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        assert engine.context_tokens == 256
        with pytest.raises(ContextError, match="302 prompt tokens and max_tokens 24 are over"):
            await engine.sample(request_for("ba " * 300))


async def test_a_batch_of_cancelled_draws_stops_early(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        generator = engine._generator
        assert generator is not None
        steps = _slow_steps(generator.model)
        task = asyncio.create_task(engine.sample(request_for(n=32, max_tokens=200)))
        await until(lambda: bool(steps))
        task.cancel()
        assert await drawn(engine, request_for(max_tokens=1))
    assert len(steps) < 100


async def test_a_batch_over_the_deadline_fails_its_open_rows_as_timeouts(
    judge_folder: Path,
) -> None:
    async with engine_for(judge_folder, Limits(request_timeout_s=0.2)) as engine:
        generator = engine._generator
        assert generator is not None
        _slow_steps(generator.model)
        draws = await engine.sample(request_for(n=16, max_tokens=200))
    late = [draw for draw in draws if isinstance(draw, RequestTimeout)]
    assert late
    assert "not finished within 0.2 s" in str(late[0])


def _slow_steps(model: Any) -> list[int]:
    """Make every forward pass take 20 ms and count them."""
    import time

    steps: list[int] = []

    def hook(*_: object) -> None:
        steps.append(1)
        time.sleep(0.02)

    model.register_forward_pre_hook(hook)
    return steps


async def test_out_of_memory_is_met_with_half_the_batch(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        whole = texts(await drawn(engine, request_for(n=8)))
        generator = engine._generator
        assert generator is not None
        _memory_for(generator.model, 4)
        assert texts(await drawn(engine, request_for(n=8))) == whole
        draws = await engine.sample(request_for(n=9))
    assert all(isinstance(draw, EngineError) for draw in draws)
    assert "lower batch_tokens" in str(draws[0])


def _memory_for(model: Any, rows: int) -> None:
    def hook(module: object, args: object, kwargs: dict[str, Any]) -> None:
        if kwargs["input_ids"].shape[0] > rows:
            raise torch.OutOfMemoryError

    model.register_forward_pre_hook(hook, with_kwargs=True)


async def test_after_close_the_thread_is_gone_and_sampling_is_an_error(judge_folder: Path) -> None:
    before = set(threading.enumerate())
    async with engine_for(judge_folder) as engine:
        await drawn(engine, request_for())
    await engine.close()
    begun = set(threading.enumerate()) - before
    assert not [one for one in begun if one.name.startswith("grm-batches")]
    with pytest.raises(EngineError, match="not running"):
        await engine.sample(request_for())


async def test_a_folder_that_is_not_there_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match=r"no model folder at '\./no/such'"):
        await TransformersEngine({"model": "./no/such"}, Limits()).start()


async def test_weights_that_are_not_safetensors_are_refused(
    judge_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(judge_folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(EngineError, match="can not be loaded"):
        async with engine_for(tmp_path):
            pass


async def test_weights_with_holes_are_refused(tmp_path: Path) -> None:
    from tests.engines.tiny_models import save_classifier

    with pytest.raises(EngineError, match=r"has no weights for 'lm_head\.weight'"):
        async with engine_for(save_classifier(tmp_path)):
            pass


async def test_a_dtype_that_is_none_is_an_engine_error(judge_folder: Path) -> None:
    with pytest.raises(EngineError, match="dtype: expected 'auto' or a torch dtype, got 'fp8'"):
        async with engine_for(judge_folder, dtype="fp8"):
            pass


async def test_missing_libraries_are_named_with_their_extra(
    judge_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("grm_plugin.local.")]:
        if name.rpartition(".")[2] in ("generation", "loading", "seeded"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EngineError, match=r'pip install "grm-plugin\[transformers\]"'):
        async with engine_for(judge_folder):
            pass


def test_unknown_options_are_config_errors() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'modle'.*did you mean 'model'"):
        TransformersEngine({"model": "x", "modle": "y"}, Limits())
