"""The scale of logits, and figures on held-out pairs."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.spct.scalar_data import ScalarRow
from grm_plugin.spct.scalar_pairs import Compared, Pair, judged_pairs
from grm_plugin.spct.scalar_report import Calibrated, accuracy_of, calibrated, scalar_report
from grm_plugin.types import Group, Judgment, Scalar, Verdict
from grm_plugin.types.scalars import sigmoid

GROUP = Group.of("q", ["a", "b"])


def drawn(spread: float, pairs: int = 4000) -> list:
    """Pairs whose order is drawn by a scalar RM's own model, with its logits spread out."""
    rng = random.Random(1)
    found = []
    for _ in range(pairs):
        one, other = rng.gauss(0, 1.5), rng.gauss(0, 1.5)
        target = float(rng.random() < sigmoid(one - other))
        compared = Compared(GROUP, (Pair(0, 1, target),))
        found.append((compared, [3 + spread * one, 3 + spread * other]))
    return found


@pytest.mark.parametrize("spread", [0.2, 1.0, 7.0])
def test_the_spread_makes_differences_the_log_odds_that_they_claim(spread: float) -> None:
    scored = drawn(spread)
    found = calibrated(scored)
    assert found.spread == pytest.approx(spread, rel=0.1)
    assert found.center == pytest.approx(3, abs=0.2 * spread)
    rows = [ScalarRow(one, str(n), "validation") for n, (one, _) in enumerate(scored)]
    report = scalar_report(rows, [logits for _, logits in scored])
    assert report.calibration.ece < 0.03
    sure = [Scalar(tuple(logits), found.center, found.spread).sureness for _, logits in scored]
    assert sum(sure) / len(sure) == pytest.approx(report.accuracy.value, abs=0.02)


def judged(k: int, noise: float, pairs: int = 1500) -> list:
    """As :func:`drawn`, and who is better is told by votes, each through noise (points)."""
    rng = random.Random(2)

    def vote(sample: int, better: int) -> Judgment:
        scores = [5.5 + better, 5.5 - better]
        seen = tuple(min(10.0, max(1.0, round(one + rng.gauss(0, noise)))) for one in scores)
        return Judgment(sample, (0, 1), 0, "", seen)

    found = []
    for _ in range(pairs):
        gap = rng.gauss(0, 2)
        better = 1 if rng.random() < sigmoid(gap) else -1
        votes = tuple(vote(sample, better) for sample in range(k))
        found.append((Compared(GROUP, judged_pairs(Verdict(GROUP, None, votes))), [gap, 0.0]))
    return found


@pytest.mark.parametrize(("k", "noise"), [(4, 1.0), (4, 2.0), (8, 2.0), (32, 3.0)])
def test_votes_fit_the_spread_to_the_order_that_many_of_them_have(k: int, noise: float) -> None:
    """A single vote is right less often, and would take a scalar RM for unsure."""
    scored = judged(k, noise)
    assert 0.85 < calibrated(scored).spread < 1.35
    by_vote = [
        (Compared(GROUP, tuple(Pair(0, 1, one.target) for one in compared.pairs)), logits)
        for compared, logits in scored
    ]
    assert calibrated(by_vote).spread > 1.4
    rows = [ScalarRow(one, str(n), "validation") for n, (one, _) in enumerate(scored)]
    assert scalar_report(rows, [logits for _, logits in scored]).calibration.ece < 0.05


@pytest.mark.parametrize("k", [1, 2, 8])
@pytest.mark.parametrize("noise", [1.0, 4.0])
def test_noise_of_the_votes_never_makes_a_scalar_rm_surer_than_it_is(k: int, noise: float) -> None:
    assert calibrated(judged(k, noise, 600)).spread > 0.85


def test_a_pair_is_known_the_less_the_more_its_votes_differ() -> None:
    def known(*leads: float) -> float:
        votes = [Judgment(k, (0, 1), 0, "", (5.0 + one, 5.0)) for k, one in enumerate(leads)]
        (pair,) = judged_pairs(Verdict(GROUP, None, tuple(votes)))
        return pair.known

    assert known(3, 3, 3, 3) > known(3, 3, 3, -3) > known(3, 3, -3, -3)
    assert known(*[0] * 32) > 0.95 > 0.5 > known(0)  # alike by many votes, which is no order


def test_a_spread_stays_finite_without_an_error_and_where_all_is_wrong() -> None:
    right = [(Compared(GROUP, (Pair(0, 1, 1.0),)), [2.0, 1.0])] * 30
    assert 0.1 < calibrated(right).spread < 1
    wrong = [(Compared(GROUP, (Pair(0, 1, 0.0),)), [2.0, 1.0])] * 30
    assert calibrated(wrong).spread == pytest.approx(1000, rel=0.01)  # it is sure of nothing
    assert calibrated([(Compared(GROUP, (Pair(0, 1, 1.0),)), [1.0, 1.0])]).spread == 1
    assert calibrated([]) == Calibrated(0.0, 1.0, 0)


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_other_units_of_the_logits_change_nothing_but_center_and_spread(factor, shift) -> None:
    scored = drawn(1.0, 60)
    moved = [(one, [factor * logit + shift for logit in logits]) for one, logits in scored]
    before, after = calibrated(scored), calibrated(moved)
    assert after.spread == pytest.approx(factor * before.spread, rel=1e-6)
    assert after.center == pytest.approx(factor * before.center + shift, rel=1e-6, abs=1e-6)
    assert accuracy_of(moved) == accuracy_of(scored)


def test_responses_without_a_logit_leave_their_pairs_out() -> None:
    three = Compared(
        Group.of("q", ["a", "b", "c"]), (Pair(0, 1, 1.0), Pair(0, 2, 1.0), Pair(1, 2, 0.5))
    )
    assert accuracy_of([(three, [2.0, 1.0, math.nan])]) == 1.0
    assert accuracy_of([(three, [1.0, 1.0, 2.0])]) == 0.25
    assert accuracy_of([(three, [math.nan] * 3)]) is None
    assert scalar_report([ScalarRow(three, "c", "validation")], [[math.nan] * 3]) is None
    assert calibrated([(three, [2.0, 1.0, math.nan])]).pairs == 1
