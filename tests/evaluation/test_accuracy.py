"""Best-of-N accuracy is an honest expectation, and its interval covers the truth."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.evaluation.accuracy import (
    best_by_meta_score,
    best_of_accuracy,
    hit,
    hit_at,
    settled_at,
)
from grm_plugin.evaluation.statistics import Estimate, bootstrap
from grm_plugin.pipeline.aggregating import mean_margin
from grm_plugin.pipeline.settling import Rule
from grm_plugin.pipeline.voting import borda, mean, median, total
from grm_plugin.types import Failure, Group, Judgment, Reason, Scale, Verdict
from tests.core.honest_judge import grm, group, noisy

SCALE = Scale(1, 10)
MEAN = Rule("mean", mean, SCALE)
SCORES_K_N = st.lists(
    st.one_of(st.none(), st.tuples(*[st.integers(1, 10)] * 3)), min_size=1, max_size=6
)
REWARDS_N = st.lists(st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0])), min_size=1)


def verdict(*scores_K_N: tuple[float, ...] | None, best: int = 0, **more: object) -> Verdict:
    """Samples of one group; None is a dropped one."""
    n = next((len(scores) for scores in scores_K_N if scores), 3)
    order = tuple(range(n))
    return Verdict(
        Group.of("q", [f"r{i}" for i in range(n)], metadata={"best": best}),
        None,
        tuple(Judgment(k, order, 0, "", s, **more) for k, s in enumerate(scores_K_N) if s),
        tuple(
            Failure(k, order, 0, Reason.TRUNCATED, "cut") for k, s in enumerate(scores_K_N) if not s
        ),
    )


@given(REWARDS_N)
def test_the_chances_of_all_responses_sum_to_one_or_nobody_has_a_reward(rewards: list) -> None:
    chances = sum(hit(rewards, best) for best in range(len(rewards)))
    assert chances == pytest.approx(1 if set(rewards) != {None} else 0)


@given(REWARDS_N)
def test_the_ways_to_count_a_tie_differ_only_at_a_tie(rewards: list) -> None:
    for best in range(len(rewards)):
        random_, half, strict = (
            hit(rewards, best, ties=ties) for ties in ("random", "half", "strict")
        )
        if random_ in (0.0, 1.0):
            assert random_ == half == strict
        else:
            assert strict == 0.0 < random_ <= half == 0.5


@given(SCORES_K_N, st.integers(0, 2))
def test_one_sample_is_the_mean_over_the_single_samples(scores: list, best: int) -> None:
    singles = [hit_at(verdict(each), MEAN, best, k=1) for each in scores]
    assert hit_at(verdict(*scores), MEAN, best, k=1) == pytest.approx(statistics.fmean(singles))


@given(SCORES_K_N, st.integers(0, 2), st.sampled_from([mean, total, median, borda]))
def test_all_samples_are_settled_by_the_configured_vote(
    scores: list, best: int, voter: object
) -> None:
    valid = [each for each in scores if each]
    rewards = voter(valid, SCALE) if len(valid) >= (len(scores) + 1) // 2 else None
    rule = Rule("voter", voter, SCALE)
    assert hit_at(verdict(*scores), rule, best, k=len(scores)) == hit(rewards, best)


@pytest.mark.parametrize(
    ("vote", "plan"),
    [("sum", "list")]
    + [
        (vote, plan)
        for vote in ("mean", "median", "majority", "borda")
        for plan in ("list", "pairs")
    ],
)
def test_all_samples_come_to_what_the_judge_gave(vote: str, plan: str) -> None:
    """Duplicates, runs and aggregates included."""
    asked = group(3, 7, 5, 7)
    with grm(noisy, k=4, vote=vote, plan=plan) as judge:
        judged, rule = judge.score(asked), judge.rule
    (found,) = settled_at(judged, rule, k=4)
    assert found.rewards == judged.rewards and len(set(judged.rewards)) > 1


def test_another_vote_picks_another_response() -> None:
    judged = verdict((10, 6), (5, 6), (5, 6))
    assert hit_at(judged, MEAN, 0, k=3) == 1.0
    assert hit_at(judged, Rule("median", median, SCALE), 0, k=3) == 0.0


def test_a_dropped_sample_is_not_a_lucky_guess() -> None:
    assert hit_at(verdict(None, None), MEAN, 0, k=2) == 0.0
    assert hit_at(verdict(None, (9, 1)), MEAN, 0, k=1) == 0.5


def test_too_few_valid_samples_pick_nobody() -> None:
    judged = verdict(None, None, (9, 1), None)
    assert hit_at(judged, MEAN, 0, k=4) == 0.0
    assert hit_at(judged, MEAN, 0, k=4, min_valid=1) == 1.0


def test_only_selected_judgments_vote() -> None:
    judged = verdict((1, 9), (9, 1))
    first, second = judged.judgments
    marked = replace(judged, judgments=(replace(first, voted=False), second))
    assert hit_at(judged, MEAN, 0, k=2, ties="strict") == 0.0
    assert hit_at(marked, MEAN, 0, k=2) == 1.0


def test_the_meta_rm_selects_anew_among_fewer_samples() -> None:
    judged = verdict((1, 9), (2, 9), (9, 1), (9, 2))
    rated = tuple(
        replace(one, meta_score=float(one.sample), voted=one.sample > 1) for one in judged.judgments
    )
    judged = replace(judged, judgments=rated)
    assert hit_at(judged, MEAN, 0, k=4) == 1.0
    assert hit_at(judged, MEAN, 0, k=2, marks=best_by_meta_score) == pytest.approx(5 / 6)
    assert hit_at(judged, MEAN, 0, k=1, marks=best_by_meta_score) == 0.5


def test_a_group_that_was_split_is_settled_run_by_run() -> None:
    runs = (
        Judgment(0, (0, 1), 0, "", (9.0, 5.0, None), run=0),
        Judgment(0, (1, 2), 0, "", (None, 5.0, 1.0), run=1),
    )
    judged = Verdict(Group.of("q", ["a", "b", "c"]), None, runs)
    (found,) = settled_at(judged, MEAN, k=1)
    assert found.rewards == pytest.approx((8 / 9, 4 / 9, 0))


def test_a_copy_gets_what_its_original_got() -> None:
    judged = Verdict(
        Group.of("q", ["a", "b", "a"]), None, (Judgment(0, (0, 1), 0, "", (10.0, 1.0, 10.0)),)
    )
    (found,) = settled_at(judged, MEAN, k=1)
    assert found.rewards == (1.0, 0.0, 1.0) and not found.responses


def test_pairs_that_need_both_orders_are_settled_by_the_samples_a_smaller_k_would_have() -> None:
    orders = [(0, 1), (1, 0)] * 2
    judged = Verdict(
        Group.of("q", ["a", "b"]),
        None,
        tuple(Judgment(k, order, 0, "", (8.0, 2.0)) for k, order in enumerate(orders)),
    )
    rule = Rule("mean", mean, SCALE, mean_margin, both_orders=True)
    assert [each.rewards is not None for each in settled_at(judged, rule, k=2)] == [True]


def test_paper_table_17_votes_for_the_second_response() -> None:
    judged = verdict((8, 8), (5, 9), (7, 10))
    assert hit_at(judged, MEAN, 1, k=3) == 1.0
    assert hit_at(judged, MEAN, 1, k=1) == pytest.approx((0.5 + 1 + 1) / 3)


def test_many_sets_begin_with_the_first_samples_and_are_reproducible() -> None:
    rng = random.Random(0)
    judged = verdict(*((rng.randint(1, 10), rng.randint(1, 10)) for _ in range(32)))
    first = next(settled_at(judged, MEAN, k=16))
    alone = replace(judged, judgments=judged.judgments[:16])
    assert [first] == list(settled_at(alone, MEAN, k=16))
    assert [first] == list(settled_at(judged, MEAN, k=16, most=1))
    several = list(settled_at(judged, MEAN, k=16, seed=1))
    assert several == list(settled_at(judged, MEAN, k=16, seed=1)) and len(several) == 256
    assert several != list(settled_at(judged, MEAN, k=16, seed=2))


@pytest.mark.parametrize("k", [0, 3])
def test_more_samples_than_drawn_is_an_error(k: int) -> None:
    judged = verdict((1, 2), (2, 1))
    with pytest.raises(ValueError, match=rf"k: expected 1\.\.2 of group .*, got {k}"):
        hit_at(judged, MEAN, 0, k=k)


def test_a_group_that_was_never_judged_is_named() -> None:
    refused = Verdict(Group.of("q", ["a", "b"], id="g7"), None, unscored="refused: too long")
    with pytest.raises(ValueError, match="group g7 has no samples: refused: too long"):
        hit_at(refused, MEAN, 0, k=1)


def test_the_interval_holds_the_mean_and_narrows_with_more_groups() -> None:
    few, many = bootstrap([0.0, 1.0] * 20), bootstrap([0.0, 1.0] * 500)
    assert few.low < few.value == 0.5 < few.high
    assert many.high - many.low < few.high - few.low
    assert bootstrap([0.0, 1.0] * 20) == few


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = random.Random(0)
    inside = 0
    for trial in range(100):
        values = [float(rng.random() < 0.6) for _ in range(120)]
        estimate = bootstrap(values, seed=trial, resamples=400)
        inside += estimate.low <= 0.6 <= estimate.high
    assert 88 <= inside <= 100


def test_groups_that_belong_together_widen_the_interval() -> None:
    rng = random.Random(0)
    values = [float(rng.random() < chance) for chance in (0.1, 0.9) * 4 for _ in range(30)]
    clusters = [cluster for cluster in range(8) for _ in range(30)]
    alone, together = bootstrap(values), bootstrap(values, clusters=clusters)
    assert alone.value == together.value
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert bootstrap(values, clusters=range(240)) == alone


def test_any_number_of_the_groups_has_an_interval() -> None:
    estimate = bootstrap(
        [(1.0, 2.0), (3.0, 4.0)] * 50, of=lambda pairs: sum(a / b for a, b in pairs)
    )
    assert estimate.low < estimate.value == 62.5 < estimate.high


def test_nothing_has_no_interval() -> None:
    with pytest.raises(ValueError, match="values: expected at least one, got none"):
        bootstrap([])


def test_accuracy_comes_with_an_interval_for_every_power_of_two() -> None:
    found = best_of_accuracy([verdict(None, (9, 1)), verdict((9, 1), (9, 1))] * 20, MEAN, k=2)
    assert found.keys() == {1, 2}
    assert found[1].low < found[1].value == 0.75 < found[1].high
    assert found[2] == Estimate(1.0, 1.0, 1.0)
    tied = [verdict((5, 5))] * 2
    assert best_of_accuracy(tied, MEAN, k=1, ties="strict")[1].value == 0.0
