"""Where runs are read at equal cost, their gaps, and intervals over seeds."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.coscaling.figures.arms import Arms
from recipes.coscaling.figures.claims import LARGEST_GAP, Claim, claims
from recipes.coscaling.figures.limits import gap, reached
from recipes.coscaling.figures.runs import Run
from recipes.coscaling.figures.seeds import over_seeds, paired, surprise
from recipes.coscaling.following import logged
from recipes.coscaling.following import slope as regression
from tests.recipes.coscaling_runs import ROUNDS, UPDATES, made_up, whole


def test_at_equal_cost_a_cheap_run_is_read_where_it_has_spent_as_much() -> None:
    arms = whole()
    limits = arms.spent("growing", "tokens")
    run = arms.runs("grm_k1")[1]
    assert reached(run, "tokens", limits[1]).spent == pytest.approx(limits[1])
    assert limits[1] == 4.5 * ROUNDS * UPDATES


@given(
    qualities=st.lists(st.floats(0, 1), min_size=3, max_size=9),
    share=st.floats(0.05, 1.5),
)
def test_a_peak_is_chosen_by_tune_and_never_beyond_the_limit(
    qualities: Sequence[float], share: float
) -> None:
    size = len(qualities)
    run = replace(
        made_up("any", 1, end=0.5),
        steps_P=list(range(size)),
        heldout_P=list(qualities),
        tune_P=list(reversed(qualities)),
        spent_P={"steps": [float(one) for one in range(size)]},
    )
    limit = share * (size - 1)
    found = reached(run, "steps", limit)
    within = [place for place in range(size) if place <= limit]
    assert found.peak == qualities[max(within, key=lambda place: run.tune_P[place])]
    assert min(qualities) - 1e-9 <= found.mean <= max(qualities) + 1e-9
    assert found.spent == min(limit, size - 1)


def test_the_gap_grows_where_reward_leaves_true_quality_behind() -> None:
    honest, fooled = (made_up("any", 1, end=0.7, fooled=by) for by in (0.0, 0.1))
    assert gap(honest, rounds=ROUNDS, edge=5).standard == pytest.approx(0, abs=1e-9)
    found = gap(fooled, rounds=ROUNDS, edge=5)
    assert found.quality == pytest.approx(0.1 * 35 / 40)
    assert found.standard == pytest.approx(found.quality / 0.25)


def judged(seed: int, *, bias: float, noise: float = 0.1, slope: float = 0.4) -> Run:
    """A policy that gets better, and a reward with errors; what it is paid for falsely grows."""
    rng = random.Random(seed)
    rounds = []
    for one in range(ROUNDS):
        qualities = [rng.gauss(0.45 + 0.15 * one / ROUNDS, 0.28) for _ in range(128)]
        told = [0.3 + slope * q + rng.gauss(0, noise) + bias * one / ROUNDS for q in qualities]
        rounds.append(list(zip(qualities, told, strict=True)))
    truth, reward = (
        [statistics.fmean(pair[side] for pair in pairs) for pairs in rounds] for side in (0, 1)
    )
    of_reward, of_truth = (
        statistics.pstdev(pair[side] for pairs in rounds[:5] for pair in pairs) for side in (1, 0)
    )
    return replace(
        made_up("grm_k8", seed, end=0.6),
        reward_R=reward,
        truth_R=truth,
        deviations=(of_reward, of_truth),
        slope=regression(logged(pairs) for pairs in rounds[:5]),
    )


def the_gap(*, bias: float) -> Claim:
    runs = [judged(seed, bias=bias) for seed in range(1, 6)]
    return claims(Arms(runs, rounds=ROUNDS, updates=UPDATES, edge=5))[0]


def test_an_honest_reward_with_errors_has_no_gap_whatever_the_policy_gains() -> None:
    for noise, slope in ((0.05, 0.4), (0.2, 0.4), (0.1, 0.2)):
        runs = [judged(seed, bias=0.0, noise=noise, slope=slope) for seed in range(20)]
        gaps = [gap(run, rounds=ROUNDS, edge=5) for run in runs]
        assert abs(statistics.fmean(one.standard for one in gaps)) < 0.03


def test_the_gap_is_held_by_the_end_of_its_interval() -> None:
    honest, false = the_gap(bias=0.0), the_gap(bias=0.01)
    assert honest.holds and honest.found.high < LARGEST_GAP
    assert false.found.value < LARGEST_GAP < false.found.high and not false.holds
    assert not the_gap(bias=0.03).holds


def test_a_reward_that_told_nothing_at_the_start_has_no_gap_in_true_quality() -> None:
    runs = [replace(judged(seed, bias=0.0), slope=-0.01) for seed in (1, 2)]
    assert math.isnan(gap(runs[0], rounds=ROUNDS, edge=5).quality)
    assert not claims(Arms(runs, rounds=ROUNDS, updates=UPDATES, edge=5))[0].holds


def test_intervals_of_seeds_hold_the_truth_as_often_as_they_say() -> None:
    rng = random.Random(3)
    held = 0
    for _ in range(2000):
        found = over_seeds([rng.gauss(0.1, 0.05) for _ in range(5)])
        held += found.low <= 0.1 <= found.high
    assert 0.935 < held / 2000 < 0.965


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6))
def test_an_interval_leaves_zero_out_where_p_is_small(values: list[float]) -> None:
    found, p = over_seeds(values), surprise(values)
    if abs(p - 0.05) > 1e-6:
        assert (p < 0.05) == (found.low > 0 or found.high < 0)


def test_one_seed_tells_no_interval() -> None:
    assert (over_seeds([0.3]).low, surprise([0.3])) == (-math.inf, 1.0)


def test_differences_are_of_seeds_that_both_have() -> None:
    assert paired({1: 0.5, 2: 0.75}, {2: 0.25, 3: 0.0}) == {2: 0.5}
