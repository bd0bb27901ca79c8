"""Judgments become rewards in one place, purely: from judgments, a case and a rule."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import Group, Size
from grm_plugin.errors import PluginError
from grm_plugin.pipeline.aggregating import mean_margin
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.settling import Rule, settle
from grm_plugin.pipeline.voting import borda, mean, median
from grm_plugin.types import Judgment, Scale

SCALE = Scale(1, 10)
MEAN = Rule("mean", mean, SCALE)


def case(*runs: tuple[int, ...], n: int, k: int = 4, min_valid: int = 1, copies=None) -> Case:
    group = Group.of("q", [f"r{number}" for number in range(n)])
    return Case(group, group, runs, copies or tuple(range(n)), Size(k=k), min_valid)


def judgment(sample: int, *scores: float | None, run: int = 0, **more) -> Judgment:
    order = more.pop("order", tuple(n for n, score in enumerate(scores) if score is not None))
    return Judgment(sample, order, 0, "", scores, run=run, **more)


scores_K_N = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.lists(st.integers(1, 10), min_size=n, max_size=n), min_size=1, max_size=6)
)


@given(scores_K_N)
def test_one_run_gives_what_its_voter_gives(rows: list[list[int]]) -> None:
    n = len(rows[0])
    found = settle(
        [judgment(k, *row) for k, row in enumerate(rows)], case(tuple(range(n)), n=n), MEAN
    )
    assert found.rewards == pytest.approx(mean(rows, SCALE))
    assert not found.unscored and not found.responses


@given(scores_K_N, st.randoms())
def test_the_order_of_judgments_does_not_matter(rows: list[list[int]], rng: random.Random) -> None:
    votes = [judgment(k, *row) for k, row in enumerate(rows)]
    asked, rule = case(tuple(range(len(rows[0]))), n=len(rows[0])), Rule("borda", borda, SCALE)
    shuffled = rng.sample(votes, len(votes))
    assert settle(votes, asked, rule).rewards == pytest.approx(
        settle(shuffled, asked, rule).rewards
    )


@given(scores_K_N, st.integers(1, 8))
def test_fewer_than_min_valid_judgments_give_no_reward(rows: list[list[int]], enough: int) -> None:
    n = len(rows[0])
    found = settle(
        [judgment(k, *row) for k, row in enumerate(rows)],
        case(tuple(range(n)), n=n, min_valid=enough),
        MEAN,
    )
    assert (found.rewards is None) == (len(rows) < enough)
    assert (f"{len(rows)} of 4 samples are valid, min_valid is {enough}" in found.unscored) == (
        len(rows) < enough
    )


def test_a_judgment_without_a_vote_counts_as_valid_and_changes_no_reward() -> None:
    votes = [judgment(0, 10, 1), judgment(1, 1, 10, voted=False)]
    assert settle(votes, case((0, 1), n=2, min_valid=2), MEAN).rewards == (1.0, 0.0)


def test_nobody_voting_leaves_the_group_unscored() -> None:
    found = settle([judgment(0, 5, 5, voted=False)], case((0, 1), n=2), MEAN)
    assert found.rewards is None and "let none of 1 judgments vote" in found.unscored


def test_overlapping_runs_give_a_response_the_mean_of_its_runs() -> None:
    votes = [judgment(0, 1, 5.5, None), judgment(0, None, 10, 1, run=1)]
    assert settle(votes, case((0, 1), (1, 2), n=3), MEAN).rewards == (0.0, 0.75, 0.0)


def test_a_run_without_judgments_costs_only_responses_that_no_other_run_scores() -> None:
    found = settle([judgment(0, 1, 10, None)], case((0, 1), (1, 2), n=3), MEAN)
    assert found.rewards == (0.0, 1.0, None)
    assert list(found.responses) == [2] and "0 of 4 samples" in found.responses[2]


def test_a_duplicate_gets_the_reward_of_its_copy() -> None:
    found = settle([judgment(0, 10, 1, None)], case((0, 1), n=3, copies=(0, 1, 0)), MEAN)
    assert found.rewards == (1.0, 0.0, 1.0)


def pair_rule() -> Rule:
    return Rule("mean", mean, Scale(0, 1), mean_margin, both_orders=True)


def test_a_pair_seen_one_way_round_gives_no_reward() -> None:
    one_way = [judgment(k, 1, 0, order=(0, 1)) for k in range(2)]
    found = settle(one_way, case((0, 1), n=2), pair_rule())
    assert found.rewards is None and "the same way round" in found.unscored


def test_both_orders_of_a_pair_weigh_the_same_however_many_samples_each_has() -> None:
    first = [judgment(k, 1, 0, order=(0, 1)) for k in range(3)]
    flipped = [judgment(3, 0, 1, order=(1, 0))]
    assert settle([*first, *flipped], case((0, 1), n=2), pair_rule()).rewards == (0.5, 0.5)


def test_responses_that_no_chain_of_pairs_connects_with_the_most_are_unscored_alone() -> None:
    votes = [
        judgment(k, *scores, run=run, order=order)
        for run, scores in enumerate([(1, 0, None, None, None), (None, None, 1, 0, None)])
        for k, order in enumerate([(2 * run, 2 * run + 1), (2 * run + 1, 2 * run)])
    ]
    runs = ((0, 1), (2, 3), (3, 4))
    found = settle(votes, case(*runs, n=5, k=2), pair_rule())
    assert found.rewards == (1.0, 0.0, None, None, None)
    assert "compared with few responses" in found.responses[2]
    assert "0 of 2 samples" in found.responses[4]


def test_a_voter_whose_rewards_of_a_pair_are_more_than_1_apart_is_named() -> None:
    rule = replace(pair_rule(), name="points", voter=lambda rows, scale: (9.0, 1.0))
    votes = [judgment(0, 1, 0, order=(0, 1)), judgment(1, 1, 0, order=(1, 0))]
    with pytest.raises(PluginError, match=r"voter 'points': .* at most 1 apart, got \[9.0, 1.0\]"):
        settle(votes, case((0, 1), n=2), rule)


@pytest.mark.parametrize("broken", [(1.0,), (float("nan"), 1.0), None, ("a", "b"), 3])
def test_a_voter_that_gives_no_rewards_is_named(broken: object) -> None:
    rule = Rule("broken", lambda rows, scale: broken, SCALE)
    with pytest.raises(PluginError, match="voter 'broken': expected 2 finite rewards, got"):
        settle([judgment(0, 5, 5)], case((0, 1), n=2), rule)


def test_settling_again_at_a_smaller_k_uses_the_configured_vote() -> None:
    votes = [judgment(k, *row) for k, row in enumerate([(1, 5), (9, 5), (10, 5), (9, 5)])]
    rule = Rule("median", median, SCALE)
    two = settle([one for one in votes if one.sample < 2], case((0, 1), n=2, k=2), rule)
    four = settle(votes, replace(case((0, 1), n=2), size=Size(k=4)), rule)
    assert two.rewards == pytest.approx((4 / 9, 4 / 9)) and four.rewards == pytest.approx(
        (8 / 9, 4 / 9)
    )
