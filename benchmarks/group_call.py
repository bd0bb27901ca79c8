"""One call for a group of 8 responses against 8 calls for one response each, same engine.

``python benchmarks/group_call.py``: judge tokens and wall seconds of both ways, alternated.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

from machine import save

from grm_plugin import GRM, Group
from grm_plugin.reference.tasks.data import best_of_groups


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    tasks = best_of_groups(7, "heldout", responses=8, number=options.groups)
    whole = [Group.of(one.task.query, one.responses) for one in tasks]
    single = [Group.of(one.task.query, [text]) for one in tasks for text in one.responses]
    with GRM(engine="reference", k=1, min_valid=1, max_concurrent_groups=512) as grm:
        grm.score_batch(whole[:2])
        runs = [(run(grm, whole), run(grm, single)) for _ in range(options.repeats)]
    print("saved", save("group_call", summary(runs, options.groups), "torch", "transformers"))


def run(grm: GRM, groups: Sequence[Group]) -> dict[str, float]:
    """Tokens and seconds of judging ``groups`` once."""
    started = time.perf_counter()
    verdicts = grm.score_batch(groups)
    return {
        "seconds": time.perf_counter() - started,
        "prompt tokens": sum(one.cost.prompt_tokens for one in verdicts),
        "output tokens": sum(one.cost.output_tokens for one in verdicts),
    }


def summary(
    runs: Sequence[tuple[dict[str, float], dict[str, float]]], groups: int
) -> dict[str, Any]:
    """Medians of both ways and of their ratio."""
    keys = ("seconds", "prompt tokens", "output tokens")
    result: dict[str, Any] = {"groups": groups, "responses": 8, "k": 1, "repeats": len(runs)}
    for key in keys:
        whole = [one[key] for one, _ in runs]
        single = [one[key] for _, one in runs]
        result[key] = {
            "one call of 8": round(statistics.median(whole), 3),
            "8 calls of 1": round(statistics.median(single), 3),
            "ratio": round(statistics.median(b / a for a, b in zip(whole, single, strict=True)), 3),
        }
        print(key, result[key])
    return result


if __name__ == "__main__":
    main()
