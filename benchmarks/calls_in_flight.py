"""Seconds of a GRPO step when the judge's calls go out one by one, and when they go out at once.

``python benchmarks/calls_in_flight.py``: the real trainer, and a judge over HTTP that takes a fixed
time for each call. k calls a group are wanted at once; ``max_concurrent_samples`` bounds them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from machine import save
from trl_run import RESPONSES, Timed, run

from grm_trl import GRMReward

BOUNDS = (1, 8, 32, 256)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay-s", type=float, default=0.2, help="of each call of the judge")
    parser.add_argument("--steps", type=int, default=6, help="of a run; the first warms up")
    parser.add_argument("--prompts", type=int, default=8, help="groups of four a step")
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    with judge(options.delay_s) as url:
        found = {f"at most {bound}": measure(bound, url, options) for bound in BOUNDS}
    calls = options.prompts * options.k
    least = {"calls a step": calls, "responses": RESPONSES}
    result = {**vars(options), **least, "calls in flight": found}
    print("saved", save("calls_in_flight", result, "torch", "transformers", "trl", "aiohttp"))


def measure(bound: int, url: str, options: argparse.Namespace) -> dict[str, Any]:
    """One run with at most ``bound`` calls of the judge at a time."""
    reward = GRMReward(
        engine={"name": "server", "url": url}, k=options.k, max_concurrent_samples=bound
    )
    timed = Timed("grm", reward)
    steps = run(timed, steps=options.steps, prompts=options.prompts)
    reward.close()
    found = {
        "step s": round(statistics.median(steps), 3),
        "judging s": round(statistics.median(timed.seconds[1:]), 3),
        "share of the step": round(sum(timed.seconds[1:]) / sum(steps), 3),
        **seen(url),
    }
    print(bound, found)
    return found


def seen(url: str) -> dict[str, int]:
    """What the judge counted since it was last asked."""
    with urllib.request.urlopen(f"{url}/seen") as answer:
        return dict(json.load(answer))


@contextmanager
def judge(delay_s: float) -> Iterator[str]:
    """The address of a judge in a process of its own."""
    script = Path(__file__).with_name("delayed_judge.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(delay_s)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
