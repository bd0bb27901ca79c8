"""vLLM ends an answer where the chat template ends a turn, and places a system turn."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from real_vllm import CONTEXT, MODEL, request_for, running
from test_vllm_engine import OPTIONS

from grm_plugin.engine import Draw, Limits, SampleRequest, Sampling
from grm_plugin.engines.transformers import TransformersEngine
from grm_plugin.engines.vllm import VLLMEngine
from grm_plugin.types import Message

PROMPT = "Query: name three trees\nResponse 1: oak, ash, elm\n"
TEMPLATE = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{{ '<|bos|>' }}{% for m in messages %}{{ m.content }}"
    "{% if m.role == 'assistant' %}<|eos|>{% endif %}{% endfor %}"
)


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference judge, whose end of a turn is no end token of the checkpoint."""
    folder = tmp_path_factory.mktemp("endless") / "judge"
    shutil.copytree(MODEL, folder)
    for name, changes in {
        "config.json": {"eos_token_id": 0},
        "generation_config.json": {"eos_token_id": 0},
        "special_tokens_map.json": {"eos_token": "<|pad|>"},
        "tokenizer_config.json": {"eos_token": "<|pad|>", "chat_template": TEMPLATE},
    }.items():
        file = folder / name
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(endless: Path) -> AsyncIterator[VLLMEngine]:
    async with running(VLLMEngine({**OPTIONS, "model": str(endless)}, Limits())) as started:
        yield started


async def test_the_end_of_a_turn_ends_an_answer(engine: VLLMEngine, endless: Path) -> None:
    request = request_for(PROMPT, n=6, temperature=0.7, max_tokens=CONTEXT - 64)
    draws = await engine.sample(request)
    assert "stop" in {draw.finish_reason for draw in draws if isinstance(draw, Draw)}
    assert not any("<|eos|>" in draw.text for draw in draws if isinstance(draw, Draw))


async def test_it_does_so_as_in_transformers(engine: VLLMEngine, endless: Path) -> None:
    request = request_for(PROMPT, temperature=0.0, max_tokens=CONTEXT - 64)
    (here,) = await engine.sample(request)
    async with running(TransformersEngine({"model": str(MODEL)}, Limits())) as other:
        (there,) = await other.sample(request)
    assert isinstance(here, Draw) and isinstance(there, Draw)
    assert (here.text, here.finish_reason) == (there.text, there.finish_reason)


async def test_a_system_turn_goes_in_front_of_the_users(engine: VLLMEngine) -> None:
    greedy = Sampling(temperature=0.0, max_tokens=8)
    turns = (Message("system", "Query: name"), Message("user", "three trees"))
    folded = (Message("user", "Query: name\n\nthree trees"),)
    found = [
        (await engine.sample(SampleRequest(messages, 1, 7, greedy)))[0]
        for messages in (turns, folded)
    ]
    assert isinstance(found[0], Draw) and isinstance(found[1], Draw)
    assert found[0].text == found[1].text
    assert engine.altered == {"system": "in the user turn"}
