"""Weighted correlations and AUC against scipy's, on items that really are there w times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from grm_plugin.evaluation import association
from grm_plugin.evaluation.auc import auc

SCIPY = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}
few = st.integers(0, 4)


@st.composite
def weighted(draw):
    rows = draw(st.lists(st.tuples(few, few, few, few), min_size=2, max_size=12))
    x, y, *weights = np.array(rows, dtype=float).T
    return x, y, np.array(weights)


@pytest.mark.parametrize("name", SCIPY)
@given(weighted())
def test_a_weighted_correlation_is_that_of_items_that_are_there_so_often(name, drawn):
    x, y, weights = drawn
    found = getattr(association, name)(x, y, weights)
    for value, row in zip(found, weights.astype(int), strict=True):
        some_x, some_y = np.repeat(x, row), np.repeat(y, row)
        if len(set(some_x)) < 2 or len(set(some_y)) < 2:
            assert np.isnan(value)
            continue
        assert value == pytest.approx(SCIPY[name](some_x, some_y).statistic, abs=1e-9)


@given(weighted())
def test_a_weighted_auc_is_that_of_items_that_are_there_so_often(drawn):
    scores, labels, weights = drawn
    labels = (labels > 2).astype(int)
    found = association.auc(scores, labels, weights)
    for value, row in zip(found, weights.astype(int), strict=True):
        expected = auc(list(np.repeat(scores, row)), list(np.repeat(labels, row))).value
        assert value == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", [*SCIPY, "auc"])
def test_many_weightings_go_through_in_blocks_and_come_out_in_order(name, monkeypatch):
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=40), rng.integers(0, 2, 40), rng.integers(0, 3, (50, 40))
    whole = getattr(association, name)(x, y, weights.astype(float))
    monkeypatch.setattr(association, "_CELLS", 90)
    assert getattr(association, name)(x, y, weights.astype(float)) == pytest.approx(whole)
