"""A scalar RM in studies of votes: arrays come to what ``settle`` comes to, and what it costs."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.evaluation.scaling import (
    Beside,
    Design,
    Samples,
    draw_orders,
    judge_accuracies,
    scalar_schemes,
    study,
    voting,
)
from grm_plugin.evaluation.scaling.scalar import cascade, sure_of, together
from grm_plugin.evaluation.scaling.voting import VOTERS
from grm_plugin.pipeline.auditing import Auditing
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.scalar_voting import ScalarRule
from grm_plugin.pipeline.settling import Rule, settle
from grm_plugin.types import Scalar, Verdict
from tests.evaluation.test_array_votes import GROUPS, SCALE, VOTER, Row
from tests.evaluation.verdicts import noisy, verdict


def with_scores(judged: Verdict, *scores: float | None, tokens: int = 7) -> Verdict:
    return replace(judged, scalar=Scalar(scores, prompt_tokens=tokens))


@pytest.mark.parametrize("voter", VOTERS)
@given(GROUPS, st.floats(0, 20), st.none() | st.floats(0.5, 1), st.data())
def test_rewards_of_both_are_what_settle_makes_of_them(
    voter: str, rows: list[Row], weight: float, sure: float | None, data: st.DataObject
) -> None:
    n = len(next(row for row in rows if row))
    logits = data.draw(st.lists(st.none() | st.floats(-5, 5), min_size=n, max_size=n))
    judged, k = with_scores(verdict(*rows), *logits), data.draw(st.integers(1, len(rows)))
    orders, beside = draw_orders(len(rows), 3), Beside(SCALE, weight, voter, weight)
    scheme = together(beside) if sure is None else cascade("cascade", sure, beside)
    outcome = scheme.outcome(Samples.of([judged]), k, orders, None)
    asked = sure is None or is_asked(judged.scalar, sure)
    assert outcome.drawn_O_G is None or set(outcome.drawn_O_G[:, 0]) == {k * asked}
    judged = replace(judged, scalar=replace(judged.scalar, judged=asked))
    rule = Rule(voter, VOTER[voter], SCALE, scalar=ScalarRule(weight, points=voter == "sum"))
    for order, rewards in zip(orders, outcome.rewards_O_G_N[:, 0], strict=True):
        case = Case.of(judged, k=k, min_valid=(k + 1) // 2)
        votes = [one for one in judged.judgments if one.sample in order[:k]]
        known = settle(votes, case, rule).rewards or (None,) * n
        if voter in ("mean", "median") and asked:
            rewards = [SCALE.to_unit(one) for one in rewards]
        assert list(rewards) == pytest.approx(
            [np.nan if one is None else one for one in known], nan_ok=True
        )


def is_asked(scalar: Scalar, sure: float) -> bool:
    """Whether a cascade asks the judge."""
    known = any(one is not None for one in scalar.scores)
    return known and not Auditing(sure).is_sure(scalar.sureness)


def groups(number: int = 80, seed: int = 0, skill: float = 3.0) -> list[Verdict]:
    """A scalar RM that is right more often the surer it is."""
    rng = random.Random(seed)
    found = []
    for i in range(number):
        judged = noisy(rng, n=3, k=8, skill=1.0, id=str(i))
        best = judged.group.metadata["best"]
        own = rng.uniform(0, skill)
        logits = [own * (n == best) + rng.gauss(0, 0.7) for n in range(3)]
        found.append(with_scores(judged, *logits))
    return found


def test_a_cascade_judges_its_share_of_groups_those_of_which_the_scalar_rm_is_least_sure() -> None:
    samples, orders = Samples.of(groups()), draw_orders(8, 8)
    for share in (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)):
        scheme = cascade("cascade", sure := sure_of(share, samples), Beside(SCALE))
        outcome = scheme.outcome(samples, 4, orders, None)
        drawn_G = outcome.drawn_O_G[0]
        assert set(drawn_G) == {0, 4} and (drawn_G == 4).mean() == pytest.approx(share, abs=0.02)
        assert samples.sureness_G[drawn_G == 4].max() < sure == scheme.sure
        assert samples.sureness_G[drawn_G == 0].min() == sure


def test_how_often_the_judge_is_right_is_told_of_the_groups_that_a_cascade_does_not_judge() -> None:
    def one(best: int, *scores: int, sure: bool) -> Verdict:
        return with_scores(verdict(scores, scores, best=best), 9.0 * sure, 0.0, -9.0 * sure)

    samples = Samples.of(
        [
            one(0, 9, 5, 1, sure=True),  # both pairs of the right one are in order
            one(1, 9, 5, 5, sure=True),  # one is not, and one is a tie
            one(2, 9, 5, 1, sure=False),
        ]
    )
    schemes = [cascade(str(sure), sure, Beside(SCALE)) for sure in (0.5, 0.8, 1.0)]
    found = judge_accuracies(schemes, samples)
    assert found == {"0.5": pytest.approx((1 + 0.25 + 0) / 3), "0.8": pytest.approx(1.25 / 2)}


def test_nobody_wins_where_a_scalar_rm_has_no_score_of_a_single_response() -> None:
    single = replace(verdict((1,), (0,)), scalar=Scalar((None,)))
    samples = Samples.of([single])
    assert np.isnan(samples.scalar_G_N).all()


def test_a_study_tells_every_scheme_with_its_cost() -> None:
    verdicts = groups()
    samples = Samples.of(verdicts)
    schemes = [voting("mean"), *scalar_schemes(samples, Beside(SCALE))]
    (overall, *_) = study(samples, schemes, Design((1, 4), orders=16))
    at = {(one.scheme, one.k): one for one in overall.points}
    assert {scheme for scheme, _ in at} >= {
        *("scalar", "mean + scalar", "cascade 1/4", "cascade 1/2", "cascade 3/4"),
    }
    assert at["scalar", 4].cost.samples == 0 and at["scalar", 4].cost.scalar_read == 7
    assert at["mean", 4].cost.scalar_read == 0
    assert at["cascade 1/2", 4].cost.samples == pytest.approx(2.0, abs=0.1)
    alone = [
        Samples.of([one]).best_G[0] == max(range(3), key=lambda n: one.scalar.scores[n])
        for one in verdicts
    ]
    assert at["scalar", 1].accuracy.value == pytest.approx(sum(alone) / len(alone))
    assert at["mean + scalar", 4].accuracy.value > at["mean", 4].accuracy.value


def test_records_without_scalar_scores_have_no_such_schemes() -> None:
    samples = Samples.of([verdict((5, 6), (7, 8))])
    assert scalar_schemes(samples, Beside(SCALE)) == []


def test_a_study_of_few_samples_compares_with_no_fewer_than_one() -> None:
    samples = Samples.of(groups(12))
    schemes = scalar_schemes(samples, Beside(SCALE))
    (overall, *_) = study(samples, schemes, Design((1, 2), orders=4))
    cascades = [one for one in overall.points if one.scheme.startswith("cascade")]
    assert all("uniform" not in one.against for one in cascades if one.cost.samples < 1)
