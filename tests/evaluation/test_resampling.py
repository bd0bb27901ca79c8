"""Intervals of many means at once agree with the slow ones, and know what belongs together."""

from __future__ import annotations

import random

import numpy as np
import pytest

from grm_plugin.evaluation.resampling import Resampling
from grm_plugin.evaluation.statistics import bootstrap


def values(number: int, seed: int = 0, chance: float = 0.6) -> np.ndarray:
    return (np.random.default_rng(seed).random(number) < chance).astype(float)


def test_it_agrees_with_the_plain_bootstrap() -> None:
    found = values(300)
    fast, slow = Resampling(300).estimate(found), bootstrap(list(found))
    assert fast.value == pytest.approx(slow.value)
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=0.01)


def test_it_agrees_with_the_plain_bootstrap_over_clusters() -> None:
    rng = random.Random(0)
    found = [float(rng.random() < chance) for chance in (0.1, 0.9) * 10 for _ in range(20)]
    clusters = [cluster for cluster in range(20) for _ in range(20)]
    fast = Resampling(400, [clusters]).estimate(np.array(found))
    slow = bootstrap(found, clusters=clusters)
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=0.03)
    alone = Resampling(400).estimate(np.array(found))
    assert fast.high - fast.low > 2 * (alone.high - alone.low)


def test_two_kinds_of_clusters_widen_the_interval_beyond_either() -> None:
    rng = np.random.default_rng(0)
    rows, columns = rng.normal(size=(12, 1)), rng.normal(size=(1, 12))
    found = (rows + columns + 0.1 * rng.normal(size=(12, 12))).ravel()
    one = [[n // 12 for n in range(144)], [n % 12 for n in range(144)]]

    def width(*clusters: list[int]) -> float:
        estimate = Resampling(144, clusters).estimate(found)
        return estimate.high - estimate.low

    assert width(*one) > max(width(one[0]), width(one[1])) > 2 * width()


def test_two_crossed_kinds_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    codes = [[n // 15 for n in range(225)], [n % 15 for n in range(225)]]
    inside = 0
    for trial in range(100):
        found = rng.normal(size=(15, 1)) + rng.normal(size=(1, 15)) + rng.normal(size=(15, 15))
        estimate = Resampling(225, codes, resamples=400, seed=trial).estimate(found.ravel())
        inside += estimate.low <= 0 <= estimate.high
    assert 88 <= inside <= 100


def test_a_kind_with_one_cluster_tells_nothing() -> None:
    found = values(100)
    assert Resampling(100, [["all"] * 100]).estimate(found) == Resampling(100).estimate(found)


def test_clusters_may_have_any_name_that_json_holds() -> None:
    found = values(6)
    named = Resampling(6, [[{"a": ["b"]}, "a", None, None, {"x": 1}, 2]]).estimate(found)
    assert named == Resampling(6, [[0, 1, 2, 2, 3, 4]]).estimate(found)


def drawn_members(rng: np.random.Generator, groups: int, members: int) -> list[list[int]]:
    """One to three members of each group."""
    return [rng.choice(members, rng.integers(1, 4), replace=False).tolist() for _ in range(groups)]


@pytest.mark.parametrize("members", [12, 150])
@pytest.mark.parametrize("effect", [0.0, 0.1, 0.5])
def test_groups_that_share_some_members_cover_the_truth_about_as_often_as_they_say(
    members: int, effect: float
) -> None:
    rng = np.random.default_rng(0)
    sets = drawn_members(rng, 300, members)
    resampling, inside = Resampling(300, [sets]), 0
    for _ in range(300):
        effects = effect * rng.normal(size=members)
        found = np.array([effects[one].sum() for one in sets]) + rng.normal(size=300)
        estimate = resampling.estimate(found)
        inside += estimate.low <= 0 <= estimate.high
    assert 0.90 <= inside / 300 <= 0.99


def test_what_groups_share_beside_their_first_member_widens_the_interval() -> None:
    rng = np.random.default_rng(0)
    sets = drawn_members(rng, 400, 40)
    found = np.array([rng.normal() for _ in range(40)])
    values = np.array([found[one].sum() for one in sets])
    whole = Resampling(400, [sets]).estimate(values)
    first = Resampling(400, [[one[0] for one in sets]]).estimate(values)
    assert whole.high - whole.low > 1.2 * (first.high - first.low)


def test_lists_of_one_member_are_clusters() -> None:
    rng = np.random.default_rng(0)
    clusters = [n % 30 for n in range(600)]
    found = (rng.normal(size=30)[:, None] + rng.normal(size=(30, 20))).T.ravel()
    listed = Resampling(600, [[[one] for one in clusters]]).estimate(found)
    single = Resampling(600, [clusters]).estimate(found)
    assert listed.high - listed.low == pytest.approx(single.high - single.low, rel=0.1)
    common = Resampling(600, [[[one, "all"] for one in clusters]]).estimate(found)
    assert common == listed


def test_missing_values_of_groups_that_share_members_are_left_out() -> None:
    rng = np.random.default_rng(0)
    sets = drawn_members(rng, 100, 20)
    found = rng.normal(size=100)
    few = Resampling(80, [sets[:80]]).difference(found[:80], np.zeros(80))
    gone = np.concatenate([found[:80], np.full(20, np.nan)])
    all_there = Resampling(100, [sets]).difference(gone, np.zeros(100))
    assert (all_there.low, all_there.p) == pytest.approx((few.low, few.p), rel=1e-5)
    same = Resampling(100, [sets]).difference(found, found)
    assert (same.low, same.high, same.p) == (0.0, 0.0, 1.0)


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    hard = np.random.default_rng(1).normal(size=400)
    first, second = hard + 0.05, hard
    alone = Resampling(400).estimate(first)
    paired = Resampling(400).difference(first, second)
    assert paired.value == pytest.approx(0.05) and paired.high - paired.low < 1e-9 < alone.high
    assert paired.p == pytest.approx(2 / 2001)


def test_no_difference_is_no_surprise() -> None:
    same = values(50)
    assert Resampling(50).difference(same, same).p == 1.0
    rng = np.random.default_rng(0)
    ps = [
        Resampling(80, resamples=500, seed=n).difference(*rng.normal(size=(2, 80))).p
        for n in range(200)
    ]
    assert 2 <= sum(p < 0.05 for p in ps) <= 22


def test_values_that_are_missing_are_left_out() -> None:
    found = values(40)
    more = np.append(found, [np.nan] * 5)
    estimate = Resampling(45).estimate(more)
    assert estimate.value == pytest.approx(found.mean()) and estimate.low < estimate.high
    with pytest.raises(ValueError, match="expected at least one that is no NaN, got none"):
        Resampling(2).estimate(np.array([np.nan, np.nan]))


def test_the_same_seed_gives_the_same_interval_and_another_another() -> None:
    found = np.random.default_rng(0).normal(size=100)
    assert Resampling(100, seed=1).estimate(found) == Resampling(100, seed=1).estimate(found)
    assert Resampling(100, seed=1).estimate(found) != Resampling(100, seed=2).estimate(found)


def test_no_groups_have_no_interval() -> None:
    with pytest.raises(ValueError, match="groups: expected at least one, got none"):
        Resampling(0)
