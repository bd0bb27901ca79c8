"""The server engine against raw concurrent requests to the same vLLM server.

``python benchmarks/server_engine.py``: starts ``vllm serve`` (or uses ``--url``) and alternates
both ways over the same bodies. Seeds make the server write the same tokens each time.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
from machine import save

import grm_plugin.reference
from grm_plugin.engines import Limits, SampleRequest, Sampling
from grm_plugin.engines.server import ServerEngine
from grm_plugin.reference.data import best_of_groups
from grm_plugin.reference.prompt import render_prompt
from grm_plugin.types import Draw, Message

MODEL = Path(grm_plugin.reference.__file__).parent / "model"
# Little memory, so that it also starts on a machine that does other work; and vLLM's CPU engine
# dies of a seeded request whose prompt chunked prefill splits.
SERVE_ARGS = (
    "--enforce-eager --kv-cache-memory-bytes 268435456 --max-model-len 1024 "
    "--no-enable-chunked-prefill --max-num-batched-tokens 1024"
)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running server; without it one is started")
    parser.add_argument("--model", default=str(MODEL), help="what to serve")
    parser.add_argument("--serve-args", default=SERVE_ARGS, help="arguments of vllm serve")
    parser.add_argument("--groups", type=int, default=64)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    result = asyncio.run(measure(options))
    print("saved", save("server_engine", result, "vllm", "aiohttp"))


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of both ways over one workload."""
    serve = {"model": options.model, "args": shlex.split(options.serve_args)}
    where = {"url": options.url} if options.url else {"serve": serve}
    limits = Limits(max_concurrent_samples=100_000, request_timeout_s=600)
    engine = ServerEngine(where, limits)
    await engine.start()
    try:
        requests = workload(options)
        await both(engine, requests)
        runs = [await both(engine, requests) for _ in range(options.repeats)]
    finally:
        await engine.close()
    result = {**vars(options), "model": Path(options.model).name, "url": None, **summary(runs)}
    print(result)
    return result


def workload(options: argparse.Namespace) -> list[SampleRequest]:
    """Groups of four responses with several draws each."""
    groups = best_of_groups(7, "heldout", responses=4, number=options.groups)
    sampling = Sampling(1.0, 1.0, options.max_tokens)
    prompts = [render_prompt(one.task.query, one.responses) for one in groups]
    return [
        SampleRequest((Message("user", text),), options.draws, 100 * i, sampling, str(i))
        for i, text in enumerate(prompts)
    ]


async def both(engine: ServerEngine, requests: Sequence[SampleRequest]) -> tuple[float, float]:
    """Seconds of the engine and of raw requests."""
    started = time.perf_counter()
    found = await asyncio.gather(*(engine.sample(request) for request in requests))
    between = time.perf_counter()
    assert all(isinstance(draw, Draw) for draws in found for draw in draws)
    url = engine._connection._replicas[0].to("/v1/chat/completions")
    await raw(url, [engine._body(request) for request in requests])
    return between - started, time.perf_counter() - between


async def raw(url: str, bodies: Sequence[dict[str, Any]]) -> None:
    """All bodies at once over one session, as anybody would."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post(body: dict[str, Any]) -> Any:
            async with session.post(url, json=body) as response:
                return await response.json()

        answers = await asyncio.gather(*(post(body) for body in bodies))
    assert all(answer["choices"] for answer in answers)


def summary(runs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Medians of both, and median and range of the ratio of their throughputs."""
    ratios = [plain / engine for engine, plain in runs]
    return {
        "engine s": round(statistics.median(engine for engine, _ in runs), 3),
        "raw s": round(statistics.median(plain for _, plain in runs), 3),
        "throughput ratio": round(statistics.median(ratios), 3),
        "ratio range": [round(min(ratios), 3), round(max(ratios), 3)],
    }


if __name__ == "__main__":
    main()
