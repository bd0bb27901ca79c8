"""The parts of ``gpu_check.py``: ``gpu_parts.py PART [SHAPE] --device D --out FILE`` runs one."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import server_engine
import torch
import transformers_engine
from shapes import config_of, save_config, tokenizer
from transformers import AutoModelForCausalLM

from grm_plugin.engine import Draw, Limits, SampleRequest, Sampling
from grm_plugin.engines.transformers import TransformersEngine
from grm_plugin.local import generation
from grm_plugin.reference.judge import MODEL
from grm_plugin.reference.prompt import render_prompt
from grm_plugin.reference.tasks.data import best_of_groups
from grm_plugin.types import Message

PATIENT = Limits(request_timeout_s=600)
SERVE = {
    "cuda": "--max-model-len 8192 --gpu-memory-utilization 0.85",
    "cpu": (
        "--max-model-len 2048 --dtype float32 --block-size 32 --kv-cache-memory-bytes 268435456 "
        "--no-enable-chunked-prefill --max-num-batched-tokens 2048"
    ),
}


def main() -> None:
    """Measure one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("parity", "engine", "server", "grpo"))
    parser.add_argument("shape", nargs="?", default="tiny")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    device = options.device
    found = {
        "parity": lambda: asyncio.run(parity(device)),
        "engine": lambda: asyncio.run(engine(options.shape, device)),
        "server": lambda: asyncio.run(server(options.shape, device)),
        "grpo": lambda: grpo(device),
    }[options.part]()
    if options.part != "server":  # the memory of another process
        found["peak GB"] = peak_gb(device)
    options.out.write_text(json.dumps(found))


def peak_gb(device: str) -> float:
    """Most memory that tensors took on the GPU, or that this process took."""
    if device == "cuda":
        return round(torch.cuda.max_memory_allocated() / 2**30, 2)
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30, 2)


async def parity(device: str) -> dict[str, Any]:
    """How many texts are the same in batches on ``device`` and one by one on the processor."""
    tasks = best_of_groups(7, "heldout", responses=4, number=32 if device == "cuda" else 4)
    prompts = [render_prompt(one.task.query, one.responses) for one in tasks]
    ours = await greedy(prompts, {"device": device})
    plain = await greedy(prompts, {"device": "cpu", "batch_tokens": 1})
    same = sum(one == other for one, other in zip(ours, plain, strict=True))
    told = f"{same} of {len(prompts)} greedy texts are those of the processor"
    return {"told": told, "texts": len(prompts), "same": same}


async def greedy(prompts: list[str], options: dict[str, Any]) -> list[str]:
    """The reference judge's greedy answers."""
    engine = TransformersEngine({"model": str(MODEL), **options}, PATIENT)
    await engine.start()
    requests = [
        SampleRequest((Message("user", text),), 1, 0, Sampling(0.0, 1.0, 160)) for text in prompts
    ]
    draws = await asyncio.gather(*(engine.sample(request) for request in requests))
    await engine.close()
    return [draw.text for (draw,) in draws if isinstance(draw, Draw)]


class RandomJudge(TransformersEngine):
    """The engine on a model of a shape, whose weights are made where it runs."""

    def __init__(self, shape: str, device: str) -> None:
        super().__init__({"model": shape, "device": device}, PATIENT)
        self._shape, self._device = shape, device

    def _load(self) -> generation.Generator:
        dtype = torch.bfloat16 if self._device == "cuda" else torch.float32
        with torch.device(self._device):
            model = AutoModelForCausalLM.from_config(config_of(self._shape), dtype=dtype).eval()
        with patch.object(generation, "load", lambda *_: (model, tokenizer())):
            return super()._load()


async def engine(shape: str, device: str) -> dict[str, Any]:
    """Seconds of our engine and of bare ``generate`` over the same batches."""
    large = device == "cuda"
    size = argparse.Namespace(
        groups=8 if large else 2, draws=4, max_tokens=96 if large else 24, repeats=3
    )
    judge = RandomJudge(shape, device)
    await judge.start()
    transformers_engine.never_end(judge)
    requests = transformers_engine.workload(size, 1.0)
    batches = await transformers_engine.plan(judge, requests, judge.options.batch_tokens)
    await transformers_engine.both(judge, requests, batches)
    runs = [await transformers_engine.both(judge, requests, batches) for _ in range(size.repeats)]
    await judge.close()
    wall = transformers_engine.summary(runs)["wall"]
    tokens = size.groups * size.draws * size.max_tokens / wall["engine s"]
    told = f"{1 / wall['ratio']:.0%} of bare generate, {tokens:,.0f} tokens/s"
    return {"told": told, "share": round(1 / wall["ratio"], 3), "tokens/s": round(tokens), **wall}


async def server(shape: str, device: str) -> dict[str, Any]:
    """Throughput of our engine and of raw requests to the same vLLM server."""
    large = device == "cuda"
    with tempfile.TemporaryDirectory() as folder:
        size = argparse.Namespace(
            url=None,
            model=str(save_config(Path(folder), shape)),
            serve_args=f"--load-format dummy --enforce-eager {SERVE[device]}",
            groups=16 if large else 2,
            responses=8,
            words=100 if large else 20,
            k=8,
            permutations=[8, 1],
            max_tokens=128 if large else 16,
            repeats=3,
        )
        runs = (await server_engine.measure(size))["runs"]
    shares = {orders: run["throughput ratio"] for orders, run in runs.items()}
    told = ", ".join(f"{share:.0%} of raw requests at P = {p}" for p, share in shares.items())
    return {"told": told, "runs": runs}


def grpo(device: str) -> dict[str, Any]:
    """Seconds of TRL's steps with the reference judge as reward, and with a plain function."""
    from trl_overhead import looked_up
    from trl_run import Timed, run

    from grm_trl import GRMReward

    size = {"steps": 6 if device == "cuda" else 3, "prompts": 16 if device == "cuda" else 2}
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "verdicts.jsonl"
        reward = GRMReward(
            engine={"name": "reference", "device": device}, k=4, max_tokens=256, record=record
        )
        judge = Timed("grm", reward)
        with_judge = run(judge, **size, device=device)
        reward.close()
        plain = run(Timed("plain", looked_up(record)), **size, device=device)
    step, judging = statistics.median(with_judge), statistics.median(judge.seconds[1:])
    bare = statistics.median(plain)
    told = f"{step:.2f} s a step, judging {judging / step:.0%} of it; {bare:.2f} s with a function"
    return {"told": told, "step s": step, "judging s": judging, "step with a function s": bare}


if __name__ == "__main__":
    main()
