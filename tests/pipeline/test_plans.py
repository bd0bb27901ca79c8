"""Plans turn a group into runs; pairs meet in an aggregate."""

from __future__ import annotations

import itertools
import math
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError, InputError, RecordError
from grm_plugin.options import Part
from grm_plugin.pipeline.aggregating import bradley_terry, connected, mean_margin
from grm_plugin.pipeline.plans import read_plan
from grm_plugin.pipeline.strengths import strengths, win_chance

MEMBERS = st.lists(st.integers(0, 30), min_size=2, max_size=9, unique=True)


def pairs(**options: str):
    return read_plan(Part(name="pairs", **options), "pair")


def test_a_contract_has_its_usual_plan() -> None:
    assert [read_plan(None, shows).name for shows in ("list", "each", "pair")] == [
        "list",
        "each",
        "pairs",
    ]


def test_a_list_judge_may_be_shown_pairs_or_single_responses() -> None:
    assert read_plan(Part(name="each"), "list").runs((0, 2), "seed") == ((0,), (2,))
    assert read_plan(Part(name="pairs"), "list").name == "pairs"


def test_a_pair_judge_is_never_shown_a_list() -> None:
    with pytest.raises(ConfigError, match="plan: expected 'pairs' for a contract that reads pair"):
        read_plan(Part(name="list"), "pair")


def test_an_unknown_plan_and_an_unknown_option_are_named() -> None:
    with pytest.raises(ConfigError, match=r"unknown plan 'pair'; .* did you mean 'pairs'"):
        read_plan(Part(name="pair"), "pair")
    with pytest.raises(ConfigError, match=r"plan 'pairs': unknown key 'schema'.*'scheme'"):
        pairs(schema="all")


@given(MEMBERS, st.text())
def test_a_ring_shows_every_response_twice(members: list[int], seed: str) -> None:
    runs = pairs().runs(members, seed)
    shown = [n for run in runs for n in run]
    each = 1 if len(members) == 2 else 2
    assert all(shown.count(n) == each for n in members)
    assert len(set(runs)) == len(runs)


@given(MEMBERS, st.text())
def test_all_pairs_are_all_and_once(members: list[int], seed: str) -> None:
    found = pairs(scheme="all").runs(members, seed)
    assert sorted(found) == sorted(itertools.combinations(sorted(members), 2))


@given(MEMBERS, st.text())
def test_a_pivot_meets_everybody_else(members: list[int], seed: str) -> None:
    runs = pairs(scheme="pivot").runs(members, seed)
    assert len(runs) == len(members) - 1
    assert any(all(n in run for run in runs) for n in members)


@given(MEMBERS, st.text())
def test_runs_are_a_function_of_the_seed(members: list[int], seed: str) -> None:
    assert pairs().runs(members, seed) == pairs().runs(members, seed)


def test_a_recorded_plan_may_leave_out_its_usual_options() -> None:
    for recorded in ("pairs", {"name": "pairs"}, pairs().written, None):
        pairs().check_recorded(recorded, None)
    with pytest.raises(RecordError, match="judged with the plan pairs, and the settings say list"):
        read_plan(None, "list").check_recorded("pairs", None)
    with pytest.raises(RecordError, match="'scheme': 'all'"):
        pairs(scheme="all").check_recorded("pairs", Part(name="pairs", scheme="all"))


def test_one_response_has_nobody_to_be_compared_with() -> None:
    with pytest.raises(InputError, match="needs two different responses to compare, got 1"):
        pairs().runs((0,), "seed")


margins = st.lists(st.floats(-1, 1), min_size=3, max_size=3)


def rewards_of(found: list[float]) -> list[dict[int, float]]:
    ring = [(0, 1), (1, 2), (0, 2)]
    return [{i: (1 + m) / 2, j: (1 - m) / 2} for (i, j), m in zip(ring, found, strict=True)]


@given(margins, st.sampled_from([mean_margin, bradley_terry]))
def test_aggregates_stay_in_0_to_1_with_a_mean_of_one_half(found, aggregate) -> None:
    rewards = aggregate(rewards_of(found))
    assert all(-1e-9 <= reward <= 1 + 1e-9 for reward in rewards.values())
    assert sum(rewards.values()) / 3 == pytest.approx(0.5, abs=1e-6)


@given(margins)
def test_swapping_the_sides_of_all_pairs_turns_margins_round(found) -> None:
    there, back = mean_margin(rewards_of(found)), mean_margin(rewards_of([-m for m in found]))
    assert {n: 1 - reward for n, reward in there.items()} == pytest.approx(back)


@pytest.mark.parametrize("aggregate", [mean_margin, bradley_terry])
def test_who_wins_all_pairs_is_first_and_who_loses_all_is_last(aggregate) -> None:
    rewards = aggregate([{0: 1.0, 1: 0.0}, {1: 1.0, 2: 0.0}, {0: 1.0, 2: 0.0}])
    assert rewards[0] > rewards[1] > rewards[2]


def test_bradley_terry_uses_who_was_beaten() -> None:
    """2 beat the strong 0; 3 beat the weak 1: equal margins, unequal strengths."""
    rewards = bradley_terry([{0: 1.0, 1: 0.0}, {0: 0.25, 2: 0.75}, {1: 0.25, 3: 0.75}])
    assert rewards[2] > rewards[3]


@pytest.mark.parametrize("n", [3, 16, 64])
@pytest.mark.parametrize("scheme", ["circular", "all", "pivot"])
def test_strengths_are_fitted_to_the_end_for_groups_of_any_size(n: int, scheme: str) -> None:
    runs, rng = pairs(scheme=scheme).runs(range(n), "seed"), random.Random(n)
    won = {run: rng.choice([0.25, 1.25, 0.5]) for run in runs}
    started = time.process_time()
    found = strengths([{i: wins, j: 1.5 - wins} for (i, j), wins in won.items()])
    assert time.process_time() - started < 2
    ahead = dict.fromkeys(range(n), 0.0)  # what each won more than its strength lets expect
    for (i, j), wins in won.items():
        rest = wins - 1.5 * win_chance(found[i] - found[j])
        ahead[i] += rest
        ahead[j] -= rest
    assert all(abs(rest) < 1e-6 for rest in ahead.values())
    assert sum(found.values()) == pytest.approx(0, abs=1e-6)


def test_a_ring_of_64_that_is_almost_in_order_is_fitted_to_the_end() -> None:
    won = {(i, i + 1): 1.25 for i in range(63)} | {(0, 63): 1.25}
    started = time.process_time()
    found = strengths([{i: wins, j: 1.5 - wins} for (i, j), wins in won.items()])
    assert time.process_time() - started < 2
    # whoever is first is sure to beat the last, so every pair gives a quarter of a win to that one
    assert [found[i] - found[i + 1] for i in range(63)] == pytest.approx([math.log(2)] * 63, 1e-6)


def test_only_connected_responses_are_compared() -> None:
    beaten, even = {0: 1.0, 1: 0.0}, {2: 0.5, 3: 0.5}
    assert connected([beaten, even]) == [beaten]
    assert connected([beaten, even, {3: 1.0, 4: 0.0}]) == [even, {3: 1.0, 4: 0.0}]
    bridged = [beaten, even, {1: 0.5, 2: 0.5}]
    assert connected(bridged) == bridged
