"""How well numbers tell right from wrong: among all judgments, and among those that compare."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.evaluation.auc import auc, difference
from grm_plugin.evaluation.calibration import calibration, cross_entropy
from grm_plugin.types.scalars import sigmoid

judged = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=30
)


def by_hand(rows: list[tuple[int, int, int]], *, within: bool) -> float:
    won = [
        1.0 if right[0] > wrong[0] else 0.5 if right[0] == wrong[0] else 0.0
        for right in rows
        for wrong in rows
        if right[1] and not wrong[1] and (not within or right[2] == wrong[2])
    ]
    return statistics.fmean(won) if won else math.nan


@given(judged, st.booleans())
def test_it_is_the_share_of_pairs_in_which_the_right_one_is_ahead(rows, within: bool) -> None:
    scores, labels, strata = zip(*rows, strict=True)
    found = auc(scores, labels, strata=strata if within else None)
    assert found.value == pytest.approx(by_hand(rows, within=within), nan_ok=True)


@given(judged)
def test_only_the_order_of_scores_counts(rows) -> None:
    scores, labels, _ = zip(*rows, strict=True)
    stretched = auc([math.exp(score) for score in scores], labels).value
    assert stretched == pytest.approx(auc(scores, labels).value, nan_ok=True)


def test_the_margin_knows_nothing_among_judgments_of_one_margin() -> None:
    margins, labels = [0, 0, 3, 3, 5, 5], [0, 0, 1, 0, 1, 1]
    assert auc(margins, labels).value > 0.8
    assert auc(margins, labels, strata=margins).value == 0.5


def test_labels_of_one_kind_have_no_auc() -> None:
    assert math.isnan(auc([1, 2], [1, 1]).value) and auc([1, 2], [1, 1]).pairs == 0


def drawn(rng: random.Random, groups: int, each: int) -> tuple[list[float], list[int], list[int]]:
    """Scores that know a part of the label; what is common to a group moves all of it."""
    scores, labels, names = [], [], []
    for group in range(groups):
        common = rng.gauss(0, 1)
        for _ in range(each):
            right = rng.random() < sigmoid(2 * common)
            scores.append(common + right * 0.5 + rng.gauss(0, 1))
            labels.append(int(right))
            names.append(group)
    return scores, labels, names


@pytest.mark.parametrize("in_group", [False, True])
def test_the_interval_covers_the_truth_as_often_as_it_says(in_group: bool) -> None:
    rng = random.Random(0)
    scores, labels, names = drawn(rng, 4000, 5)
    truth = auc(scores, labels, strata=names if in_group else None).value
    found = []
    for _ in range(300):
        scores, labels, names = drawn(rng, 40, 5)
        found.append(auc(scores, labels, strata=names if in_group else None, clusters=names))
    assert 0.90 <= sum(one.low <= truth <= one.high for one in found) / 300 <= 0.985
    told = statistics.fmean(one.high - one.low for one in found) / 2
    assert told == pytest.approx(1.96 * statistics.stdev(one.value for one in found), rel=0.2)


def test_what_hangs_together_in_clusters_widens_the_interval() -> None:
    scores, labels, names = drawn(random.Random(2), 200, 5)
    alone, clustered = auc(scores, labels), auc(scores, labels, clusters=names)
    assert clustered.high - clustered.low > 1.1 * (alone.high - alone.low)


def test_one_cluster_has_no_interval() -> None:
    one = auc([1, 2, 3, 4], [0, 1, 0, 1], clusters="aaaa")
    assert one.value == 0.75 and math.isnan(one.low) and math.isnan(one.high)
    apart = difference(one, one)
    assert apart.value == 0 and math.isnan(apart.low) and math.isnan(apart.high)


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    rng = random.Random(1)
    scores, labels, names = drawn(rng, 60, 6)
    noisy = [score + rng.gauss(0, 0.3) for score in scores]
    one, other = (auc(each, labels, clusters=names) for each in (scores, noisy))
    apart = difference(one, other)
    assert apart.value == pytest.approx(one.value - other.value)
    assert apart.high - apart.low < (one.high - one.low) / 2
    same = difference(one, one)
    assert same.low == same.value == same.high == 0


@given(st.lists(st.tuples(st.floats(-30, 30), st.integers(0, 1)), min_size=1, max_size=60))
def test_every_judgment_is_in_one_bin_and_errors_are_within_bounds(rows) -> None:
    logits, labels = zip(*rows, strict=True)
    found = calibration(logits, labels)
    assert sum(one.number for one in found.bins) == len(rows)
    assert 0 <= found.ece <= 1 and 0 <= found.brier <= 1 and found.log_loss >= 0


def test_probabilities_that_are_shares_have_no_calibration_error() -> None:
    logits = [math.log(1 / 3)] * 40 + [math.log(3)] * 40
    labels = ([1] + [0] * 3) * 10 + ([1] * 3 + [0]) * 10
    found = calibration(logits, labels, bins=2)
    assert found.ece == pytest.approx(0) and [one.observed for one in found.bins] == [0.25, 0.75]
    flipped = calibration(logits, [1 - label for label in labels], bins=2)
    assert flipped.ece == pytest.approx(0.5)


@given(st.floats(-500, 500))
def test_the_loss_of_a_logit_is_that_of_its_probability(logit: float) -> None:
    assert cross_entropy(logit, 1) == pytest.approx(cross_entropy(-logit, 0))
    if abs(logit) < 20:
        assert cross_entropy(logit, 1) == pytest.approx(-math.log(sigmoid(logit)), rel=1e-6)


def test_no_judgments_have_no_calibration() -> None:
    with pytest.raises(ValueError, match="logits: expected at least one"):
        calibration([], [])
