"""Soft weights as arrays come to what the selector and ``settle`` come to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.evaluation.scaling import Design, Samples, draw_orders, measure, voting
from grm_plugin.evaluation.scaling.margin import margins
from grm_plugin.evaluation.scaling.weighing import weighing
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.selectors import weighed
from grm_plugin.pipeline.settling import Rule, settle
from grm_plugin.pipeline.weighing import Weighing, margin_of
from tests.evaluation.test_array_votes import GROUPS, SCALE, VOTER, in_units
from tests.evaluation.verdicts import Row, verdict

COEFFICIENT = st.sampled_from([0.0, -0.5, 0.3, 2.0])
LOGIT = st.one_of(st.none(), st.floats(-3, 3))


@pytest.mark.parametrize("voter", ["mean", "median", "majority", "borda"])
@given(GROUPS, st.data())
def test_weights_are_those_of_the_selector_in_each_order(
    voter: str, scores: list[Row], data: st.DataObject
) -> None:
    number = len(scores)
    logits = data.draw(st.lists(LOGIT, min_size=number, max_size=number))
    by = Weighing(
        meta=data.draw(COEFFICIENT), margin=data.draw(COEFFICIENT), drop_below=data.draw(
            st.sampled_from([0.0, 0.3])
        )
    )  # fmt: skip
    judged, k = verdict(*scores, meta=logits), data.draw(st.integers(1, number))
    samples, orders = Samples.of([judged]), draw_orders(number, 3)
    found = weighing("soft", by, voter).outcome(samples, k, orders, 1).rewards_O_G_N[:, 0]
    for order, rewards in zip(orders, found, strict=True):
        votes = [
            one
            for one in judged.judgments
            if one.sample in order[:k] and (one.meta_score is not None or not by.meta)
        ]
        case = Case.of(judged, k=k, min_valid=1)
        known = settle(weighed(votes, by), case, Rule(voter, VOTER[voter], SCALE)).rewards
        if known is None:
            assert np.isnan(rewards).all()
        else:
            assert in_units(voter, rewards) == pytest.approx(known)


@given(GROUPS)
def test_margins_are_those_of_the_judgments(scores: list[Row]) -> None:
    judged = verdict(*scores)
    found = margins(Samples.of([judged]))[0]
    for one in judged.judgments:
        assert found[one.sample] == margin_of(one)
    assert np.isnan(found).sum() == len(judged.failures)


def test_without_coefficients_weights_are_a_plain_vote() -> None:
    judged = [verdict((9, 3), None, (4, 6), (8, 2), meta=(1.0, 0.0, 2.0, 3.0), id=str(i)) for i in
              range(3)]  # fmt: skip
    found = measure(
        Samples.of(judged), [voting("mean"), weighing("soft", Weighing())], Design((1, 2, 4))
    )
    for k in (1, 2, 4):
        assert (found["soft", k].random_G == found["mean", k].random_G).all()
