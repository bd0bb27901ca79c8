"""Best-of-N accuracy is an honest expectation, and its interval covers the truth."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.evaluation.accuracy import best_of_accuracy, hit, hit_at, scores_of
from grm_plugin.evaluation.statistics import Estimate, bootstrap
from grm_plugin.types import Failure, Group, Judgment, Reason, Verdict

SCORES_K_N = st.lists(
    st.one_of(st.none(), st.tuples(*[st.integers(1, 10)] * 3)), min_size=1, max_size=6
)


@given(SCORES_K_N)
def test_the_chances_of_all_responses_sum_to_one_or_nobody_voted(scores: list) -> None:
    total = sum(hit(scores, best) for best in range(3))
    assert total == pytest.approx(1 if any(scores) else 0)


@given(SCORES_K_N, st.integers(0, 2))
def test_one_sample_is_the_mean_over_the_single_samples(scores: list, best: int) -> None:
    singles = [hit([each], best) for each in scores]
    assert hit_at(scores, best, k=1) == pytest.approx(statistics.fmean(singles))


@given(SCORES_K_N, st.integers(0, 2))
def test_all_samples_are_the_vote_itself(scores: list, best: int) -> None:
    assert hit_at(scores, best, k=len(scores)) == hit(scores, best)


def test_a_tie_counts_its_share_and_a_dropped_sample_is_not_a_lucky_guess() -> None:
    assert hit([(5, 5, 1, 1)], best=1) == 0.5
    assert hit([(5, 5, 5, 5)], best=3) == 0.25
    assert hit([None, None], best=0) == 0.0


def test_paper_table_17_votes_for_the_second_response() -> None:
    scores = [(8, 8), (5, 9), (7, 10)]
    assert hit(scores, best=1) == 1.0
    assert hit_at(scores, best=1, k=1) == pytest.approx((0.5 + 1 + 1) / 3)


def test_many_subsets_are_drawn_at_random_and_reproducibly() -> None:
    rng = random.Random(0)
    scores = [(rng.randint(1, 10), rng.randint(1, 10)) for _ in range(32)]
    assert hit_at(scores, 0, k=16, seed=1) == hit_at(scores, 0, k=16, seed=1)
    assert hit_at(scores, 0, k=1) == pytest.approx(
        statistics.fmean(hit([each], 0) for each in scores)
    )


@pytest.mark.parametrize("k", [0, 3])
def test_more_samples_than_drawn_is_an_error(k: int) -> None:
    with pytest.raises(ValueError, match=r"k: expected 1\.\.2, got"):
        hit_at([(1, 2), (2, 1)], 0, k=k)


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


PAIR = Group.of("q", ["a", "b"], metadata={"best": 0})


def test_a_dropped_sample_takes_its_place_among_the_k() -> None:
    dropped = Failure(0, (0, 1), 0, Reason.TRUNCATED, "cut")
    right = Judgment(1, (0, 1), 0, "", (9.0, 1.0))
    verdict = Verdict(PAIR, (1.0, 0.0), (right,), (dropped,))
    assert scores_of(verdict) == [None, [9.0, 1.0]]
    sure = {1: Estimate(0.5, 0.5, 0.5), 2: Estimate(1.0, 1.0, 1.0)}
    assert best_of_accuracy([verdict] * 2, k=2) == sure


def test_a_group_that_was_split_can_not_be_compared() -> None:
    half = Judgment(0, (0,), 0, "", (9.0, None))
    with pytest.raises(ValueError, match="was judged in parts"):
        scores_of(Verdict(PAIR, (1.0, 0.0), (half,)))
