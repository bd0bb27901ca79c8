"""The server engine against raw concurrent requests to the same vLLM server.

``python benchmarks/server_engine.py``: starts ``vllm serve`` (or uses ``--url``) and alternates
both ways over the same bodies: k samples of each group, of k prompts with their own order of the
responses or of fewer that several samples share. Seeds make the server write the same tokens each
time. ``--words`` takes texts of that length in place of the reference tasks, for other models.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from machine import save

from grm_plugin import GRM, Group
from grm_plugin.engine import Draw, Limits, SampleRequest, Sampling
from grm_plugin.engines.server import ServerEngine
from grm_plugin.pipeline import planning
from grm_plugin.prompts import Template
from grm_plugin.reference.judge import MODEL
from grm_plugin.reference.tasks.data import best_of_groups
from grm_plugin.remote.fields import asked_of

# Little memory, so that it also starts on a machine that does other work; and vLLM's CPU engine
# dies of a seeded request whose prompt chunked prefill splits.
SERVE_ARGS = (
    "--enforce-eager --kv-cache-memory-bytes 268435456 --max-model-len 1024 "
    "--no-enable-chunked-prefill --max-num-batched-tokens 1024"
)
WORDS = "the answer names every item that was asked for and says in plain words why it is there"


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running server; without it one is started")
    parser.add_argument("--model", default=str(MODEL), help="what to serve")
    parser.add_argument("--serve-args", default=SERVE_ARGS, help="arguments of vllm serve")
    parser.add_argument("--groups", type=int, default=16)
    parser.add_argument("--responses", type=int, default=8)
    parser.add_argument("--words", type=int, default=0, help="of each response; 0: reference tasks")
    parser.add_argument("--k", type=int, default=8, help="samples of a group")
    parser.add_argument("--permutations", type=int, nargs="+", default=[8, 1])
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    result = asyncio.run(measure(options))
    print("saved", save("server_engine", result, "vllm", "aiohttp"))


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of both ways over one workload for every number of permutations."""
    serve = {"model": options.model, "args": shlex.split(options.serve_args)}
    where = {"url": options.url} if options.url else {"serve": serve}
    limits = Limits(max_concurrent_samples=100_000, request_timeout_s=600)
    engine = ServerEngine(where, limits)
    result = {**vars(options), "model": Path(options.model).name, "url": None, "runs": {}}
    await engine.start()
    try:
        for permutations in options.permutations:
            requests = list(workload(options, permutations))
            await both(engine, requests)
            runs = [await both(engine, requests) for _ in range(options.repeats)]
            result["runs"][str(permutations)] = summary(runs)
            print(permutations, "permutations:", summary(runs), flush=True)
    finally:
        await engine.close()
    return result


def workload(options: argparse.Namespace, permutations: int) -> Iterator[SampleRequest]:
    """What the pipeline would ask for."""
    sampling = Sampling(1.0, 1.0, options.max_tokens)
    template, groups = texts(options) if options.words else tasks(options)
    for group in groups:
        prepared = template.prepare(group)
        for showing in planning.plan(
            range(options.responses),
            k=options.k,
            permutations=permutations,
            seed=0,
            fingerprint=group.fingerprint,
        ):
            messages = prepared.render(showing.order)
            yield SampleRequest(messages, showing.n, showing.seed, sampling, group.fingerprint)


def tasks(options: argparse.Namespace) -> tuple[Template, list[Group]]:
    """Reference tasks in the reference judge's prompt."""
    found = best_of_groups(7, "heldout", responses=options.responses, number=options.groups)
    groups = [Group.of(one.task.query, one.responses) for one in found]
    return GRM(engine="reference").template, groups


def texts(options: argparse.Namespace) -> tuple[Template, list[Group]]:
    """Texts that differ from the first word on, in the default prompt."""
    body = " ".join(WORDS.split()[i % 17] for i in range(options.words))
    groups = [
        Group.of(f"Question {n}?", [f"{n}.{i} {body}" for i in range(options.responses)])
        for n in range(options.groups)
    ]
    return GRM(engine={"name": "server", "url": "http://127.0.0.1"}).template, groups


async def both(engine: ServerEngine, requests: Sequence[SampleRequest]) -> tuple[float, float]:
    """Seconds of the engine and of raw requests."""
    started = time.perf_counter()
    found = await asyncio.gather(*(engine.sample(request) for request in requests))
    between = time.perf_counter()
    assert all(isinstance(draw, Draw) for draws in found for draw in draws)
    url = engine._connection._replicas[0].to("/v1/chat/completions")
    await raw(url, [body(engine, request) for request in requests])
    return between - started, time.perf_counter() - between


def body(engine: ServerEngine, request: SampleRequest) -> dict[str, Any]:
    """What the engine posts."""
    return dict(engine._shape.written(asked_of(engine.model, request), engine._shape.names({})))


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
