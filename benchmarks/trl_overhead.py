"""What GRMReward costs a GRPO step, next to a plain Python function that gives the same rewards.

``python benchmarks/trl_overhead.py``: one run records the embedded judge; then runs with
``GRMReward`` on that record and runs with a dictionary look-up alternate. Both give the same
rewards, so both kinds of run generate and train on the same tokens, and steps compare one by one.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from machine import save
from trl_run import RESPONSES, Reward, Timed, run

from grm_plugin.evaluation.statistics import bootstrap
from grm_plugin.records import read_verdicts
from grm_trl import GRMReward


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=11, help="of a run; the first warms up")
    parser.add_argument("--prompts", type=int, default=16, help="groups of four a step")
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=6, help="pairs of runs")
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "verdicts.jsonl"
        train = partial(run, steps=options.steps, prompts=options.prompts)
        recorded(record, options.k, train)
        pairs = [pair(record, options.k, train) for _ in range(options.repeats)]
    result = {**vars(options), "responses": RESPONSES, **summary(pairs, options)}
    print(result)
    print("saved", save("trl_overhead", result, "torch", "transformers", "trl"))


def recorded(record: Path, k: int, train: partial[list[float]]) -> None:
    """Judge every step's groups once, for real."""
    reward = GRMReward(engine="reference", k=k, max_tokens=256, record=record)
    train(reward)
    reward.close()


def pair(record: Path, k: int, train: partial[list[float]]) -> dict[str, list[float]]:
    """Seconds per step of both ways, of the whole step and of the reward call alone."""
    replayed = GRMReward(engine={"name": "replay", "path": record}, template="reference", k=k)
    ours, plain = Timed("grm", replayed), Timed("plain", looked_up(record))
    step_ours, step_plain = train(ours), train(plain)
    replayed.close()
    return {
        "step with GRMReward": step_ours,
        "step with a plain reward": step_plain,
        "call of GRMReward": ours.seconds[1:],
        "call of the plain reward": plain.seconds[1:],
    }


def looked_up(record: Path) -> Reward:
    """The recorded rewards by query and response."""
    known: dict[tuple[str, str], float | None] = {}
    for verdict in read_verdicts(record):
        rewards = verdict.rewards or [None] * len(verdict.group.responses)
        query = verdict.group.conversation[-1].content
        for response, reward in zip(verdict.group.responses, rewards, strict=True):
            known[query, response] = reward

    def plain(prompts: Sequence[Any], completions: Sequence[Any], **_: Any) -> list[float | None]:
        turns = zip(prompts, completions, strict=True)
        return [known[prompt[-1]["content"], answer[-1]["content"]] for prompt, answer in turns]

    return plain


def summary(pairs: Sequence[dict[str, list[float]]], options: argparse.Namespace) -> dict[str, Any]:
    """Medians in ms, and how much longer a step takes: by the clock, and by the call's share."""
    seconds = {name: [s for one in pairs for s in one[name]] for name in pairs[0]}
    ms = {name: round(1000 * statistics.median(found), 2) for name, found in seconds.items()}
    steps = zip(seconds["step with GRMReward"], seconds["step with a plain reward"], strict=True)
    extra = ms["call of GRMReward"] - ms["call of the plain reward"]
    return {
        "median ms": ms,
        "step ratio, same tokens": interval([ours / plain for ours, plain in steps]),
        "extra ms of a call": {
            "a step": round(extra, 2),
            "a group": round(extra / options.prompts, 3),
            "a sample of the judge": round(extra / options.prompts / options.k, 4),
        },
        "extra ms over median step": round(extra / ms["step with a plain reward"], 4),
    }


def interval(ratios: Sequence[float]) -> dict[str, float]:
    """Median of the ratios, and their mean with its bootstrap interval of 95 %."""
    resampled = bootstrap(ratios)
    return {
        "median": round(statistics.median(ratios), 4),
        "mean": round(resampled.value, 4),
        "mean, low": round(resampled.low, 4),
        "mean, high": round(resampled.high, 4),
    }


if __name__ == "__main__":
    main()
