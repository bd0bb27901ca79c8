"""What bounded padding and an unsorted nucleus save in the ``transformers`` engine.

``python benchmarks/local_batches.py``: 13 short prompts and a long one on a random judge, with the
default ``batch_cost_tokens`` and with one so large that they share a batch, as they did before the
option; then one step of the sampler at ``top_p`` 1 and below it, over logits of 262,144 words,
beside a sort of all of them, as before. Memory is the peak of the process over what the loaded
judge takes, the smaller run first.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from machine import save
from shapes import save_judge

from grm_plugin.engine import Limits, SampleRequest, Sampling
from grm_plugin.engines.transformers import TransformersEngine
from grm_plugin.local.seeded import SeededSampler
from grm_plugin.types import Message

WORDS, ROWS = 262_144, 8
WAYS = {"default": None, "one batch": 10**9}


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--short", type=int, default=100, help="words of 13 prompts")
    parser.add_argument("--long", type=int, default=4000, help="words of one prompt")
    parser.add_argument("--max-tokens", type=int, default=100)
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        model = str(save_judge(Path(folder), "tiny"))
        padding = {name: asyncio.run(padded(options, model, cost)) for name, cost in WAYS.items()}
    result = {**vars(options), "padding": padding, "rows": ROWS, "words": WORDS, "top_p": steps()}
    print(result)
    print("saved", save("local_batches", result, "torch", "transformers"))


async def padded(options: argparse.Namespace, model: str, cost: int | None) -> dict[str, float]:
    """Seconds of all 14, and the memory that came on top."""
    engine = TransformersEngine(
        {"model": model, "batch_tokens": 100_000, "batch_cost_tokens": cost},
        Limits(request_timeout_s=3600),
    )
    await engine.start()
    requests = [request(options, words) for words in (*[options.short] * 13, options.long)]
    before, started, worked = peak_mb(), time.perf_counter(), time.process_time()
    await asyncio.gather(*(engine.sample(one) for one in requests))
    found = {
        "s": round(time.perf_counter() - started, 1),
        "processor s": round(time.process_time() - worked, 1),
        "MB": peak_mb() - before,
    }
    await engine.close()
    return found


def request(options: argparse.Namespace, words: int) -> SampleRequest:
    """One draw for a prompt of so many words."""
    turn = Message("user", " ".join(["the"] * words))
    return SampleRequest((turn,), 1, words, Sampling(1.0, 1.0, options.max_tokens))


def peak_mb() -> int:
    """The most memory that this process has had."""
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024


def steps() -> dict[str, Any]:
    """Processor milliseconds of a step by how many words the nucleus has."""
    found = {}
    for name, spread in (("sure of itself", 6.0), ("wide", 3.0), ("flat", 1.0)):
        logits = torch.randn(ROWS, WORDS, generator=torch.Generator().manual_seed(0)) * spread
        weights = (logits / 0.7).softmax(-1)
        found[name] = {
            "words in it": int((sorted_nucleus(weights[:1], 0.95) > 0).sum()),
            "top_p 1": step_ms(logits, 1.0),
            "top_p 0.95": step_ms(logits, 0.95),
            "the sort alone": timed(lambda kept=weights: sorted_nucleus(kept, 0.95)),
        }
    return found


def step_ms(logits: torch.Tensor, top_p: float) -> float:
    """One step of the sampler."""
    sampler = SeededSampler([Sampling(0.7, top_p, 100)] * ROWS, range(ROWS), torch.device("cpu"))
    return timed(lambda: sampler(logits[:, :0].long(), logits))


def sorted_nucleus(weights: torch.Tensor, top_p: float) -> torch.Tensor:
    """The nucleus by its definition."""
    ordered, tokens = weights.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(-1) - ordered
    before[:, 0] = 0.0
    return torch.zeros_like(weights).scatter(1, tokens, ordered * (before < top_p))


def timed(work: Callable[[], object], repeats: int = 9) -> float:
    """Median milliseconds of the processor: what else the machine does counts less."""
    work()
    seconds = []
    for _ in range(repeats):
        started = time.thread_time()
        work()
        seconds.append(time.thread_time() - started)
    return round(1000 * statistics.median(seconds), 1)


if __name__ == "__main__":
    main()
