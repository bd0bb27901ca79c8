"""Prompt tokens that a vLLM server computes for a group, by orders of the responses.

``python benchmarks/prefix_cache.py``: starts ``vllm serve`` (or uses ``--url``) on a random judge
with room for 8 responses of 400 tokens, and judges groups with k = 8 samples over P orders, with
all requests of a group at once and with ``warm_up``. Groups are new each time, so that all sharing
is within a group. Computed is what vLLM was asked for less what it found in its cache, by its own
``/metrics``.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import shlex
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
from machine import save
from shapes import save_judge

from grm_plugin import GRM, Group
from grm_plugin.engine import Draw, Limits, SampleRequest, Sampling
from grm_plugin.engines.server import ServerEngine
from grm_plugin.pipeline import planning

SERVE_ARGS = (
    "--dtype float32 --enforce-eager --kv-cache-memory-bytes 1073741824 --block-size 32 "
    "--max-model-len 8192 --no-enable-chunked-prefill --max-num-batched-tokens 8192 "
    "--enable-prompt-tokens-details"
)
COUNTERS = ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total")
WORDS = "the answer names every one that was given for and says in which way it is there"


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", help="a running server; without it one is started")
    parser.add_argument("--shape", default="tiny", help="of the judge, see shapes.py")
    parser.add_argument("--serve-args", default=SERVE_ARGS, help="arguments of vllm serve")
    parser.add_argument("--responses", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=400, help="of each response")
    parser.add_argument("--k", type=int, default=8, help="samples of a group")
    parser.add_argument("--permutations", type=int, nargs="+", default=[8, 4, 2, 1])
    parser.add_argument("--max-tokens", type=int, default=16)
    parser.add_argument("--groups", type=int, default=5, help="one after the other")
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(options, Path(folder)))
    print("saved", save("prefix_cache", result, "vllm", "aiohttp"))


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Tokens and seconds for every number of orders, with the first prompt ahead and without."""
    where: dict[str, Any] = {"url": options.url}
    if not options.url:
        model = str(save_judge(folder / "judge", options.shape))
        where = {"serve": {"model": model, "args": shlex.split(options.serve_args)}}
    limits = Limits(max_concurrent_samples=10_000, request_timeout_s=1200)
    engine = ServerEngine(where, limits)
    await engine.start()
    warm = ServerEngine({"url": address(engine), "warm_up": True}, limits)
    await warm.start()
    result: dict[str, Any] = {**vars(options), "url": None, "runs": {}}
    try:
        shape = Shape(options)
        await judged(engine, shape.requests(options.permutations[0]))
        for orders in options.permutations:
            for name, one in ((f"{orders}", engine), (f"{orders}, warm-up", warm)):
                runs = [await judged(one, shape.requests(orders)) for _ in range(options.groups)]
                result["runs"][name] = summary(runs)
                print(name, result["runs"][name], flush=True)
    finally:
        await warm.close()
        await engine.close()
    return result


def address(engine: ServerEngine) -> str:
    """Where its server is."""
    return engine._connection._replicas[0].to("")


class Shape:
    """Groups of one shape, each of them new."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._random = random.Random(0)
        # the default prompt of a judge, which no engine is needed for
        self._template = GRM(engine={"name": "server", "url": "http://127.0.0.1"}).template

    def requests(self, orders: int) -> list[SampleRequest]:
        """What the pipeline asks for, of a new group."""
        options, number = self._options, self._random.randrange(10**9)
        group = Group.of(f"Question {number}?", [self._text() for _ in range(options.responses)])
        prepared = self._template.prepare(group)
        showings = planning.plan(
            range(options.responses),
            k=options.k,
            permutations=orders,
            seed=0,
            fingerprint=group.fingerprint,
        )
        sampling = Sampling(1.0, 1.0, options.max_tokens)
        return [
            SampleRequest(prepared.render(one.order), one.n, one.seed, sampling, group.fingerprint)
            for one in showings
        ]

    def _text(self) -> str:
        return " ".join(self._random.choices(WORDS.split(), k=self._options.tokens))


async def judged(engine: ServerEngine, requests: Sequence[SampleRequest]) -> dict[str, float]:
    """Prompt tokens asked for and computed, and seconds, of one group."""
    before, started = await counters(engine), time.perf_counter()
    found = await asyncio.gather(*(engine.sample(request) for request in requests))
    seconds = time.perf_counter() - started
    assert all(isinstance(draw, Draw) for draws in found for draw in draws)
    asked, hits = (b - a for a, b in zip(before, await counters(engine), strict=True))
    return {"seconds": seconds, "asked": asked, "computed": asked - hits}


async def counters(engine: ServerEngine) -> list[float]:
    """What vLLM counted so far: prompt tokens looked up in its cache, and found there."""
    url = f"{address(engine)}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        text = await response.text()
    return [
        sum(float(one) for one in re.findall(rf"^{re.escape(name)}{{.*}} (\S+)$", text, re.M))
        for name in COUNTERS
    ]


def summary(runs: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Medians, and the range of the seconds."""
    seconds = [one["seconds"] for one in runs]
    return {
        "prompt tokens asked": round(statistics.median(one["asked"] for one in runs)),
        "prompt tokens computed": round(statistics.median(one["computed"] for one in runs)),
        "seconds": round(statistics.median(seconds), 2),
        "seconds range": [round(min(seconds), 2), round(max(seconds), 2)],
    }


if __name__ == "__main__":
    main()
