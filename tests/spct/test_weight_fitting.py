"""Soft weights are fitted to labels: right slopes, a prior, and no gain where there is none."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grm_plugin.evaluation.scaling import Samples
from grm_plugin.spct.weight_fitting import Fitting, _height, _Known, fit_weights
from grm_plugin.spct.weight_validation import EQUAL, cross_validated
from tests.evaluation.verdicts import verdict

BOTH = ("meta", "margin")


def judged(number: int, *, knows: float, groups: int = 60, k: int = 8, n: int = 4) -> Samples:
    """Groups in which half of the judgments see the best response; meta-scores may know which."""
    rng = random.Random(number)
    found = []
    for group in range(groups):
        best, rows, meta = rng.randrange(n), [], []
        for _ in range(k):
            sees = rng.random() < 0.5
            points = [5 + 3 * (sees and each == best) + rng.gauss(0, 2) for each in range(n)]
            row = [min(10, max(1, round(one))) for one in points]
            rows.append(None if rng.random() < 0.05 else row)
            meta.append(knows * (2 * sees - 1) + rng.gauss(0, 1))
        found.append(verdict(*rows, best=best, meta=meta, id=f"{number}-{group}"))
    return Samples.of(found)


@settings(max_examples=15)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_the_slope_is_that_of_the_likelihood_with_its_prior(point: list[float]) -> None:
    known = _Known.of(judged(0, knows=1, groups=8), BOTH, Fitting(ks=(2, 4), orders=4, prior=2))
    at, nudge = np.array(point), 1e-5
    rises = [
        (_height(known, at + step) - _height(known, at - step)) / (2 * nudge)
        for step in np.eye(3) * nudge
    ]
    assert known.slope(at) == pytest.approx(rises, abs=1e-6)


def test_a_fit_is_where_no_step_is_a_gain_and_the_same_every_time() -> None:
    samples, fitting = judged(1, knows=1), Fitting(ks=(4, 8), orders=8)
    fitted = fit_weights(samples, BOTH, fitting)
    assert fitted == fit_weights(samples, BOTH, fitting)
    known = _Known.of(samples, BOTH, fitting)
    coefficients = np.array([fitted.weighing.meta, fitted.weighing.margin]) * known.spreads
    at = np.array([*coefficients, np.log(fitted.temperature)])
    assert known.slope(at) == pytest.approx(np.zeros(3), abs=1e-6)
    assert fitted.log_likelihood > fitted.equal


def test_meta_scores_that_know_nothing_get_next_to_no_weight() -> None:
    blind = fit_weights(judged(2, knows=0), ("meta",), Fitting(ks=(4, 8)))
    seeing = fit_weights(judged(2, knows=1), ("meta",), Fitting(ks=(4, 8)))
    assert abs(blind.weighing.meta) < 0.25 < seeing.weighing.meta


def test_a_strong_prior_keeps_weights_equal() -> None:
    free, held = (
        fit_weights(judged(3, knows=1), ("meta",), Fitting(ks=(4, 8), prior=prior)).weighing.meta
        for prior in (1.0, 1e6)
    )
    assert held == pytest.approx(0, abs=1e-3) and free > 0.25


def test_what_is_not_asked_for_is_not_weighed() -> None:
    fitted = fit_weights(judged(4, knows=1), ("margin",), Fitting(ks=(4,)), drop_below=0.1)
    assert fitted.weighing.meta == 0 and fitted.weighing.drop_below == 0.1


def test_folds_keep_clusters_together_and_every_group_is_held_out_once(monkeypatch) -> None:
    from grm_plugin.spct import weight_validation

    samples = judged(5, knows=1, groups=30)
    values = [(f"c{number % 7}", f"d{number % 4}") for number in range(30)]
    trained: list[set[str]] = []
    held_out: list[str] = []

    def fit(train, *more, **known):
        trained.append({group.id for group in train.groups})
        return fit_weights(train, *more, **known)

    def measure(test, *more):
        held_out.extend(group.id for group in test.groups)
        assert not trained[-1] & {group.id for group in test.groups}
        names = {values[int(group.id.split("-")[1])][0] for group in test.groups}
        known = {value for one in trained[-1] for value in values[int(one.split("-")[1])]}
        assert known and not names & known
        return measured(test, *more)

    measured = weight_validation.measure
    monkeypatch.setattr(weight_validation, "fit_weights", fit)
    monkeypatch.setattr(weight_validation, "measure", measure)
    cross_validated(samples, values, [("meta",)], Fitting(ks=(4,), orders=4), folds=3)
    assert len(trained) == 3
    assert sorted(held_out) == sorted(group.id for group in samples.groups)


def test_held_out_figures_stand_beside_equal_weights_and_the_choices_of_the_meta_rm() -> None:
    samples = judged(6, knows=1.5, groups=80)
    figures = cross_validated(
        samples, [(str(n),) for n in range(80)], [("margin",), BOTH], Fitting(ks=(4, 16), orders=8)
    )
    by = {one.name: one for one in figures}
    assert {one.k for one in figures} == {4}
    assert by[EQUAL].gain.value == 0
    assert by["weights by meta and margin"].gain.low > 0
    names = {"meta 1/4", "meta 1/2", "meta 3/4", "weights by margin"}
    assert names < by.keys()
    assert by["weights by meta and margin"].accuracy.value > by["weights by margin"].accuracy.value
