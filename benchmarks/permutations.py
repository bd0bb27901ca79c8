"""What fewer orders of the responses cost in accuracy, at the same k, on the reference judge.

``python benchmarks/permutations.py``

The plan, written before the first run:

- Question. Of k = 8 samples, P = 8, 4, 2, 1 see an order of their own and the others share one; a
  server with a prefix cache then reads less. Does the best response win less often?
- Data. Best-of-8 groups of held-out words and phrasings (`best_of_groups`, seed 20261127, which
  nothing else uses); the best response is unique by the hidden checker.
- Judge. The shipped reference judge at its own settings, balanced shuffles, all samples drawn anew
  for each P with the seeds of its plan.
- Measures. Accuracy of the mean of 8, a tie of m counted 1 / m (the main one); how far the rewards
  of one group are apart between two seeds (standard deviation in points), which is what a policy
  would be trained on by chance.
- Intervals. 95 %, bootstrap over groups; differences to P = 8 are paired by group.
- Nothing is tuned and nothing is left out.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

from machine import save

from grm_plugin import GRM, Group, Verdict
from grm_plugin.evaluation.accuracy import hit
from grm_plugin.evaluation.statistics import Estimate, bootstrap
from grm_plugin.reference.tasks.data import TaskGroup, best_of_groups

SEED, N, K, ORDERS = 20261127, 8, 8, (8, 4, 2, 1)
PATIENT = dict.fromkeys(("request_timeout_s", "group_timeout_s", "batch_timeout_s"), 7200.0)


def main() -> None:
    """Judge, compare and save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--groups", type=int, default=300)
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    tasks = best_of_groups(SEED, "heldout", responses=N, number=options.groups)
    measured = {orders: measures(tasks, orders) for orders in ORDERS}
    result = {**vars(options), "responses": N, "k": K, "permutations": compared(measured)}
    print("saved", save("permutations", result, "torch", "transformers"))


def measures(tasks: Sequence[TaskGroup], orders: int) -> dict[str, list[float]]:
    """One number a group for each measure."""
    one, other = (verdicts(tasks, orders, seed) for seed in (0, 1))
    best = [task.best for task in tasks]
    hits = [
        statistics.fmean(hit(verdict.rewards, index) for verdict in pair)
        for *pair, index in zip(one, other, best, strict=True)
    ]
    return {
        "accuracy": hits,
        "moves by the seed": [moved(*pair) for pair in zip(one, other, strict=True)],
        "valid samples": [
            statistics.fmean(len(v.judgments) / K for v in pair)
            for pair in zip(one, other, strict=True)
        ],
    }


def verdicts(tasks: Sequence[TaskGroup], orders: int, seed: int) -> list[Verdict]:
    """All groups, judged with so many orders each."""
    groups = [Group.of(task.task.query, task.responses) for task in tasks]
    with GRM(engine="reference", k=K, permutations=orders, seed=seed, **PATIENT) as grm:
        found = list(grm.score_batch(groups))
    print(
        orders,
        "orders, seed",
        seed,
        "scored",
        sum(one.rewards is not None for one in found),
        flush=True,
    )
    return found


def moved(one: Verdict, other: Verdict) -> float:
    """Standard deviation, in points of 1..10, of a reward between the two seeds."""
    pairs = zip(one.rewards or (), other.rewards or (), strict=False)
    gaps = [9 * (a - b) for a, b in pairs if a is not None and b is not None]
    return statistics.fmean(gap * gap / 2 for gap in gaps) ** 0.5 if gaps else 0.0


def compared(measured: dict[int, dict[str, list[float]]]) -> dict[int, Any]:
    """Every measure with its interval, and its difference to an order for every sample."""
    found: dict[int, Any] = {}
    for orders, values in measured.items():
        found[orders] = {}
        for name, each in values.items():
            differences = [a - b for a, b in zip(each, measured[K][name], strict=True)]
            found[orders][name] = rounded(bootstrap(each))
            found[orders][f"{name}, difference"] = rounded(bootstrap(differences))
        print(orders, found[orders], flush=True)
    return found


def rounded(estimate: Estimate) -> list[float]:
    """Value, low and high end."""
    return [round(number, 4) for number in (estimate.value, estimate.low, estimate.high)]


if __name__ == "__main__":
    main()
