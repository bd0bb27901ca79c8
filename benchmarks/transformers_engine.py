"""The transformers engine against a bare ``model.generate`` over the same batches.

``python benchmarks/transformers_engine.py``: wall and processor seconds of both, alternated; on a
machine that does other work too, processor seconds are the ones to compare. Nothing ends early,
so that both write the same number of tokens; the engine's time includes its queue, its chat
template and its decoding, the bare one is the generation alone.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from machine import save

import grm_plugin.reference
from grm_plugin.engine import Limits, SampleRequest, Sampling
from grm_plugin.engines.transformers import TransformersEngine
from grm_plugin.local.batching import Job
from grm_plugin.local.generation import Generator
from grm_plugin.local.options import Row
from grm_plugin.local.packing import USUAL_STEPS, packed
from grm_plugin.reference.prompt import render_prompt
from grm_plugin.reference.tasks.data import best_of_groups
from grm_plugin.types import Message

MODEL = Path(grm_plugin.reference.__file__).parent / "model"


class Clocks(NamedTuple):
    """Wall seconds, and processor seconds of this process."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Clocks:
        """Both clocks."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, start: Clocks) -> Clocks:
        """Seconds from ``start``."""
        return Clocks(self.wall - start.wall, self.cpu - start.cpu)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(MODEL))
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--batch-tokens", type=int, default=16384)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    result = asyncio.run(measure(options))
    print("saved", save("transformers_engine", result, "torch", "transformers"))


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of both ways, at temperature 1 and greedy."""
    settings = {"model": options.model, "batch_tokens": options.batch_tokens}
    engine = TransformersEngine(settings, Limits(request_timeout_s=3600))
    await engine.start()
    never_end(engine)
    result: dict[str, Any] = {**vars(options), "model": Path(options.model).name}
    for name, temperature in (("sampled", 1.0), ("greedy", 0.0)):
        requests = workload(options, temperature)
        batches = await plan(engine, requests, options.batch_tokens)
        await both(engine, requests, batches)
        runs = [await both(engine, requests, batches) for _ in range(options.repeats)]
        result[name] = summary(runs)
        print(name, result[name])
    await engine.close()
    return result


def never_end(engine: TransformersEngine) -> None:
    """Make all rows run to their token limit."""
    generator = generator_of(engine)
    generator.ends = frozenset()
    generator.model.generation_config.eos_token_id = None


def generator_of(engine: TransformersEngine) -> Generator:
    """What runs the model of a started engine."""
    assert engine._generator is not None
    return engine._generator


def workload(options: argparse.Namespace, temperature: float) -> list[SampleRequest]:
    """Groups of four responses with several draws each."""
    groups = best_of_groups(7, "heldout", responses=4, number=options.groups)
    sampling = Sampling(temperature, 1.0, options.max_tokens)
    prompts = [render_prompt(one.task.query, one.responses) for one in groups]
    return [
        SampleRequest((Message("user", text),), options.draws, 100 * i, sampling)
        for i, text in enumerate(prompts)
    ]


async def plan(
    engine: TransformersEngine, requests: Sequence[SampleRequest], budget: int
) -> list[list[Row]]:
    """The batches the engine will cut."""
    loop = asyncio.get_running_loop()
    jobs: list[Job[Row, Any]] = []
    cost = engine.options.batch_cost(generator_of(engine).model.device.type, USUAL_STEPS)
    for request in requests:
        prompt = await engine._encoded(request.messages)
        width = len(prompt) + request.sampling.max_tokens
        rows = [Row(prompt, request.seed + i, request.sampling) for i in range(request.n)]
        jobs += [Job(row, width, loop.create_future()) for row in rows]
    return [[job.item for job in batch] for batch in packed(jobs, budget, cost)]


async def both(
    engine: TransformersEngine, requests: Sequence[SampleRequest], batches: Sequence[Sequence[Row]]
) -> tuple[Clocks, Clocks]:
    """What the engine took and what bare generation took."""
    started = Clocks.now()
    await asyncio.gather(*(engine.sample(request) for request in requests))
    between = Clocks.now()
    for batch in batches:
        bare(engine, batch)
    return between.since(started), Clocks.now().since(between)


def bare(engine: TransformersEngine, rows: Sequence[Row]) -> None:
    """Generate one batch as anybody would."""
    generator = generator_of(engine)
    tokens = {"input_ids": [list(row.prompt) for row in rows]}
    padded = generator.tokenizer.pad(tokens, padding_side="left", return_tensors="pt")
    sampling = rows[0].sampling
    how = {"do_sample": True, "temperature": sampling.temperature, "top_k": 0}
    generator.model.generate(
        **padded.to(generator.model.device),
        max_new_tokens=sampling.max_tokens,
        **(how if sampling.temperature else {}),
    )


def summary(runs: Sequence[tuple[Clocks, Clocks]]) -> dict[str, Any]:
    """Medians of both by either clock, and median and range of their ratio."""
    result: dict[str, Any] = {}
    for clock in Clocks._fields:
        pairs = [(getattr(engine, clock), getattr(plain, clock)) for engine, plain in runs]
        ratios = [engine / plain for engine, plain in pairs]
        result[clock] = {
            "engine s": round(statistics.median(engine for engine, _ in pairs), 3),
            "bare s": round(statistics.median(plain for _, plain in pairs), 3),
            "ratio": round(statistics.median(ratios), 3),
            "ratio range": [round(min(ratios), 3), round(max(ratios), 3)],
        }
    return result


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
