"""A bias that was planted is found, and none where none was planted."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from grm_plugin.evaluation.health import health_of
from grm_plugin.types import Verdict
from tests.evaluation.health.judges import SimulatedJudge, record

RECORDS = 40
BIASES = ("place_first", "place_last", "earlier_wins", "flips_by_order", "length_bias",
          "praise_bias", "praise_correlation")  # fmt: skip


@pytest.mark.parametrize(
    ("judge", "names"),
    [
        (SimulatedJudge(first=1.4), ("place_first", "earlier_wins", "flips_by_order")),
        (SimulatedJudge(first=-1.4), ("place_first", "earlier_wins", "flips_by_order")),
        (SimulatedJudge(length=0.6), ("length_bias",)),
        (SimulatedJudge(praise=1.0), ("praise_bias", "praise_correlation")),
    ],
    ids=["for the first place", "against it", "length", "praise"],
)
def test_a_planted_bias_is_found_and_no_other(
    judge: SimulatedJudge, names: tuple[str, ...]
) -> None:
    """12 records: more than 3 false alarms of a kind come by chance once in five hundred."""
    alarms: Counter[str] = Counter()
    for seed in range(12):
        health = health_of(record(judge, 120, n=3, k=6, seed=seed))
        alarms.update(one.name for one in health if one.off_neutral)
    assert all(alarms[name] >= 11 for name in names), alarms
    others = {*BIASES} - {*names} - ({"place_last"} if judge.first else set())
    assert all(alarms[name] <= 3 for name in others), alarms


@pytest.mark.parametrize("n", [2, 3, 4])
def test_where_no_bias_was_planted_one_record_in_twenty_raises_an_alarm(n: int) -> None:
    """40 records: more than 7 alarms come by chance once in five hundred."""
    alarms: Counter[str] = Counter()
    for seed in range(RECORDS):
        health = health_of(record(SimulatedJudge(), 60, n=n, k=4, seed=1000 * n + seed))
        alarms.update(one.name for one in health if one.off_neutral)
        alarms["places"] += any(
            one.off_neutral for one in health if one.name.startswith("place_lift")
        )
    assert all(alarms[name] <= 7 for name in (*BIASES, "places")), alarms


def test_a_judge_that_pays_for_what_is_truly_better_has_no_length_bias() -> None:
    """Longer answers are better, and the judge sees it through no noise that length explains."""
    judge = SimulatedJudge(rounds=False)
    health = health_of(record(judge, 250, n=4, k=8, apart=0.3, quality=by_length))
    assert health["length_correlation"].low > 0.3 and health["length_truth"].low > 0.3
    assert not health["length_bias"].off_neutral


def by_length(text: str) -> float:
    return math.log2(len(text) / 128)


def test_sampling_noise_is_no_flip_by_order() -> None:
    steady, noisy = (
        health_of(record(SimulatedJudge(noise=noise, rounds=False), 200, n=2, k=8, apart=1.0))
        for noise in (0.5, 4.0)
    )
    assert noisy["flip_rate"].value > 2 * steady["flip_rate"].value
    assert not noisy["flips_by_order"].off_neutral and not steady["flips_by_order"].off_neutral


@pytest.mark.parametrize("noise", [1.0, 2.0])
def test_the_reliability_is_the_share_of_variance_that_was_planted(noise: float) -> None:
    judge = SimulatedJudge(noise=noise, rounds=False)
    found = health_of(record(judge, 300, n=4, k=4, apart=1.0, seed=5))
    expected = 1 / (1 + noise**2)
    assert found["reliability"].low < expected < found["reliability"].high
    assert found["k_for_80"].low <= math.ceil(4 * noise**2) <= found["k_for_80"].high


def test_intervals_hold_the_true_number_nineteen_times_in_twenty() -> None:
    expected = 1 / (1 + 1.5**2)
    judge = SimulatedJudge(rounds=False)
    found = [
        health_of(record(judge, 40, n=3, k=4, apart=1.0, seed=seed))["reliability"]
        for seed in range(RECORDS)
    ]
    missed = sum(not one.low <= expected <= one.high for one in found)
    assert missed <= 7


def test_groups_of_one_source_raise_no_false_alarms() -> None:
    """Eight sources that each have a bias of their own, none on average."""
    alarms = 0
    for seed in range(RECORDS):
        health = health_of(sourced(seed))
        alarms += health["place_first"].off_neutral
    assert alarms <= 7


def sourced(seed: int) -> Iterator[Verdict]:
    """Eight sources of ten groups."""
    rng = random.Random(seed)
    for source in range(8):
        judge = SimulatedJudge(first=rng.gauss(0, 1))
        yield from record(judge, 10, k=4, seed=100 * seed + source, source=f"source {source}")
