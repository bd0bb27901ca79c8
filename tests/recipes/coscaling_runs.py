"""Runs of the co-scaling study that were made up."""

from __future__ import annotations

import random

from recipes.coscaling.figures.arms import Arms
from recipes.coscaling.figures.runs import Run

ROUNDS, UPDATES, KEPT = 40, 4, 5


def made_up(
    arm: str,
    seed: int,
    *,
    end: float,
    rounds: int = ROUNDS,
    flops: float = 100.0,
    tokens: float = 10.0,
    fooled: float = 0.0,
) -> Run:
    """A run that gets better evenly until the common rounds, and stays there."""
    rng = random.Random(f"{arm}/{seed}")
    end += rng.gauss(0, 0.004)
    steps = list(range(0, rounds * UPDATES + 1, KEPT * UPDATES))
    truth = [0.45 + (end - 0.45) * min(1.0, step / (ROUNDS * UPDATES)) for step in steps]
    curve = [0.45 + (end - 0.45) * min(1.0, (one + 1) / ROUNDS) for one in range(rounds)]
    reward = [one + fooled * min(1.0, place / ROUNDS) for place, one in enumerate(curve)]
    spent = {
        "steps": [float(step) for step in steps],
        "flops": [flops * step for step in steps],
        "tokens": [tokens * step for step in steps],
        "seconds": [float(step) for step in steps],
    }
    return Run(
        arm=arm,
        seed=seed,
        steps_P=steps,
        heldout_P=truth,
        tune_P=truth,
        spent_P=spent,
        reward_R=reward,
        truth_R=curve,
        deviations=(0.25, 0.25),
        slope=1.0,
        correlation_R=[0.5] * rounds,
        responses=128,
    )


def a_study(**ends: float) -> Arms:
    """Five seeds of each arm."""
    costs = {
        "grm_k8": (8.0, 8.0, ROUNDS),
        "growing": (4.5, 4.5, ROUNDS),
        "scalar_k4": (5.0, 4.0, ROUNDS),
        "scalar": (0.8, 0.0, 230),
        "scalar_kl": (0.8, 0.0, 230),
        "grm_k1": (1.0, 1.0, 190),
        "grm_k2": (2.0, 2.0, 95),
    }
    runs = [
        made_up(arm, seed, end=end, rounds=rounds, flops=flops, tokens=tokens)
        for arm, end in ends.items()
        for flops, tokens, rounds in [costs[arm]]
        for seed in range(1, 6)
    ]
    return Arms(runs, rounds=ROUNDS, updates=UPDATES, edge=5)


def whole(**changed: float) -> Arms:
    ends = {
        "grm_k8": 0.70, "growing": 0.70, "scalar_k4": 0.70,
        "scalar": 0.55, "scalar_kl": 0.58, "grm_k1": 0.60, "grm_k2": 0.65,
    }  # fmt: skip
    return a_study(**{**ends, **changed})
