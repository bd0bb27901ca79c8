"""Held-out best-of-N accuracy of the embedded reference GRM, with intervals.

``python benchmarks/reference_accuracy.py [--groups 2000]``: for N = 2, 4, 8 responses, one of which
is truly best: how often does the judge's favourite win? One greedy sample, one sample at the
default temperature, the mean of 8. Words and phrasings of the groups are held out from training.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

from machine import save

from grm_plugin import GRM, Group, Verdict
from grm_plugin.evaluation import bootstrap, hit_at
from grm_plugin.reference.data import TaskGroup, best_of_groups

SEED = 20_000
SIZES = (2, 4, 8)


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=2000)
    parser.add_argument("--batch-tokens", type=int, default=65_536)
    options = parser.parse_args()
    result = {
        f"N={n}": measure(n, options.groups, {"batch_tokens": options.batch_tokens}) for n in SIZES
    }
    print("saved", save("reference_accuracy", result, "torch", "transformers"))


def measure(n: int, number: int, options: dict[str, Any]) -> dict[str, Any]:
    """Accuracies of one group size, each with its 95 % bootstrap interval over groups."""
    tasks = best_of_groups(SEED, "heldout", responses=n, number=number)
    started = time.monotonic()
    sampled = score(tasks, options, k=8)
    greedy = score(tasks, options, k=1, temperature=0.0)
    result = {
        "groups": number,
        "chance": 1 / n,
        "greedy": accuracy(tasks, greedy, k=1),
        "one sample": accuracy(tasks, sampled, k=1),
        "mean of 8": accuracy(tasks, sampled, k=8),
        "8 over one sample": gain(tasks, sampled),
        "8 over greedy": difference(hits(tasks, sampled, k=8), hits(tasks, greedy, k=1)),
        "valid samples": sum(len(one.judgments) for one in sampled) / (8 * number),
        "seconds": round(time.monotonic() - started),
    }
    print(f"N={n}", result)
    return result


def score(tasks: Sequence[TaskGroup], options: dict[str, Any], **settings: Any) -> list[Verdict]:
    """The verdicts of all groups by the reference judge."""
    groups = (Group.of(one.task.query, one.responses, id=str(i)) for i, one in enumerate(tasks))
    engine = {"name": "reference", **options}
    with GRM(engine=engine, max_concurrent_groups=128, min_valid=1, **settings) as grm:
        return list(grm.score_many(groups))


def hits(tasks: Sequence[TaskGroup], verdicts: Sequence[Verdict], *, k: int) -> list[float]:
    """Per group the chance that the vote over k samples finds the best response."""
    return [
        hit_at(scores(verdict), best_of(task), k=k)
        for task, verdict in zip(tasks, verdicts, strict=True)
    ]


def scores(verdict: Verdict) -> list[tuple[float, ...] | None]:
    """K rows of N scores; None for a dropped sample."""
    rows: dict[int, tuple[float, ...] | None] = {one.sample: None for one in verdict.failures}
    for one in verdict.judgments:
        rows[one.sample] = tuple(score for score in one.scores if score is not None)
    return [rows[k] for k in sorted(rows)]


def best_of(task: TaskGroup) -> int:
    """The response with the highest true quality; evaluation groups have just one."""
    assert task.best is not None
    return task.best


def accuracy(
    tasks: Sequence[TaskGroup], verdicts: Sequence[Verdict], *, k: int
) -> dict[str, float]:
    """Mean over groups with its interval."""
    return interval(hits(tasks, verdicts, k=k))


def gain(tasks: Sequence[TaskGroup], verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Mean of 8 minus one sample, paired by group."""
    return difference(hits(tasks, verdicts, k=8), hits(tasks, verdicts, k=1))


def difference(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Paired difference with its interval."""
    return interval([a - b for a, b in zip(ours, theirs, strict=True)])


def interval(values: Sequence[float]) -> dict[str, float]:
    """A bootstrap estimate as plain numbers."""
    estimate = bootstrap(values)
    return {
        "value": round(estimate.value, 4),
        "low": round(estimate.low, 4),
        "high": round(estimate.high, 4),
    }


if __name__ == "__main__":
    main()
