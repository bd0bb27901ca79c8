"""Balanced against independent shuffles, with a simulated judge that goes by the place too.

``python benchmarks/place_bias.py``: no model is asked. The score of a response is its quality, plus
what its place in the prompt adds, plus noise of its own in every sample, rounded and held within
1..10. Orders and seeds are those of the package, for every group and seed anew. Both ways of
shuffling see the same qualities and the same noise.

Steadiness is how far the reward of a response moves when only the seed changes: the root of the
mean variance over seeds, in points. Accuracy is how often the best response wins, ties shared.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from machine import save

from grm_plugin.evaluation.statistics import Estimate, bootstrap
from grm_plugin.pipeline.planning import Shuffle, plan

N, SIZES = 4, (2, 4, 8)
SHUFFLES: tuple[Shuffle, ...] = ("independent", "balanced")
SHAPES = {
    "falls from place to place": (3.0, 1.0, -1.0, -3.0),
    "the first place alone": (3.0, -1.0, -1.0, -1.0),
    "both ends": (1.0, -1.0, -1.0, 1.0),
}
"""What a place adds, before it is scaled to the standard deviation over places that is asked."""


@dataclass(frozen=True)
class Judge:
    """A simulated judge: points that each place adds, and the noise of a sample."""

    bias: tuple[float, ...]
    noise: float

    def scores(self, quality: Sequence[float], order: Sequence[int], key: str) -> list[float]:
        """N scores in the group's order for one sample; ``key`` decides the noise."""
        rng = random.Random(key)
        noise = [rng.gauss(0, self.noise) for _ in quality]
        place = {index: place for place, index in enumerate(order)}
        return [
            min(10, max(1, round(quality[n] + self.bias[place[n]] + noise[n]))) for n in range(N)
        ]


@dataclass(frozen=True)
class Found:
    """Of one group: the variance of a reward over seeds, and how often the best response won."""

    variance: float
    accuracy: float


def main() -> None:
    """Simulate and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--noise", type=float, default=1.0, help="of a sample, points")
    options = parser.parse_args()
    judges = {"none": Judge((0.0,) * N, options.noise)}
    for shape, ends in SHAPES.items():
        for size in (0.5, 1.0, 2.0):
            bias = tuple(step * size / statistics.pstdev(ends) for step in ends)
            judges[f"{shape}, {size:g}"] = Judge(bias, options.noise)
    result = {**vars(options), "responses": N, "judges": {}}
    for name, judge in judges.items():
        result["judges"][name] = measured(judge, options.groups, options.seeds)
        print(name, result["judges"][name]["balanced k = 4 over independent k = 8"], flush=True)
    print("saved", save("place_bias", result))


def measured(judge: Judge, groups: int, seeds: int) -> dict[str, Any]:
    """Steadiness and accuracy of both shuffles at every k, and what the claim is about."""
    found = {
        shuffle: [of_group(judge, g, seeds, shuffle) for g in range(groups)] for shuffle in SHUFFLES
    }
    result: dict[str, Any] = {"bias": [round(step, 3) for step in judge.bias]}
    for shuffle, rows in found.items():
        for k in SIZES:
            result[f"{shuffle}, k = {k}"] = {
                "sd": rounded(
                    bootstrap([row[k].variance for row in rows], of=root, resamples=1000)
                ),
                "accuracy": rounded(bootstrap([row[k].accuracy for row in rows], resamples=1000)),
            }
    pairs = [
        (few[4], many[8]) for few, many in zip(found["balanced"], found["independent"], strict=True)
    ]
    result["balanced k = 4 over independent k = 8"] = {
        "sd ratio": rounded(bootstrap(pairs, of=ratio, resamples=1000)),
        "accuracy difference": rounded(
            bootstrap([few.accuracy - many.accuracy for few, many in pairs], resamples=1000)
        ),
    }
    return result


def of_group(judge: Judge, group: int, seeds: int, shuffle: Shuffle) -> dict[int, Found]:
    """What one group's rewards do over the seeds, by k; a smaller k is the start of a larger."""
    rng = random.Random(f"quality {group}")
    quality = [rng.uniform(3, 8) for _ in range(N)]
    best = quality.index(max(quality))
    rewards = [of_seed(judge, quality, group, seed, shuffle) for seed in range(seeds)]
    return {
        k: Found(
            statistics.fmean(statistics.variance(row[k][n] for row in rewards) for n in range(N)),
            statistics.fmean(wins(row[k], best) for row in rewards),
        )
        for k in SIZES
    }


def of_seed(
    judge: Judge, quality: Sequence[float], group: int, seed: int, shuffle: Shuffle
) -> dict[int, list[float]]:
    """N rewards (mean points) by k."""
    most = max(SIZES)
    showings = plan(
        range(N), k=most, permutations=most, seed=seed, fingerprint=str(group), shuffle=shuffle
    )
    rows = [judge.scores(quality, one.order, f"{group} {one.seed}") for one in showings]
    return {k: [statistics.fmean(column) for column in zip(*rows[:k], strict=True)] for k in SIZES}


def wins(rewards: Sequence[float], best: int) -> float:
    """1 when ``best`` has the top reward alone, its share of a tie, else 0."""
    top = max(rewards)
    return 1 / rewards.count(top) if rewards[best] == top else 0.0


def root(variances: Sequence[float]) -> float:
    """The root of the mean."""
    return math.sqrt(statistics.fmean(variances))


def ratio(pairs: Sequence[tuple[Found, Found]]) -> float:
    """The standard deviation of the first over that of the second."""
    return root([few.variance for few, _ in pairs]) / root([many.variance for _, many in pairs])


def rounded(estimate: Estimate) -> list[float]:
    """Value, low and high end."""
    return [round(number, 4) for number in (estimate.value, estimate.low, estimate.high)]


if __name__ == "__main__":
    main()
