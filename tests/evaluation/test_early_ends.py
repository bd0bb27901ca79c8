"""The array form of the stopper ends where the live one does, sample by sample."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grm_plugin.engine import Limits
from grm_plugin.evaluation.scaling import Design, Samples, draw_orders, stopping, study, voting
from grm_plugin.evaluation.scaling.early import (
    LeadRisks,
    first_within,
    lead_risks,
    worths_of_two,
)
from grm_plugin.pipeline.advantage import Advantage
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.ranking import Ranking
from grm_plugin.pipeline.settling import Rule
from grm_plugin.pipeline.voting import borda, majority, mean, median, total
from grm_plugin.types import Scale, Verdict
from tests.evaluation.verdicts import noisy, verdict

SCALE = Scale(1, 10)
MEAN = Rule("mean", mean, SCALE)
VOTES = {"mean": mean, "sum": total, "median": median, "majority": majority, "borda": borda}


def live(
    kind: type[Ranking | Advantage],
    judged: Verdict,
    order: list[int],
    k: int,
    rule: Rule = MEAN,
    **options: float,
) -> int:
    """How many samples the pipeline's stopper draws when they come in this order."""
    stopper = kind(options, Limits())
    stopper.follow(rule)
    drawn = 0
    while drawn < k:
        came = {sample: place for place, sample in enumerate(order[:drawn])}
        valid = [one for one in judged.judgments if one.sample in came]
        case = Case.of(judged, k=k, min_valid=(max(1, drawn) + 1) // 2)
        more = stopper.more(case, valid, drawn)
        if not more:
            break
        drawn += more
    return drawn


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10_000),
    st.integers(2, 5),
    st.sampled_from([4, 9, 16, 24]),
    st.sampled_from([0.005, 0.02, 0.1, 0.3]),
    st.sampled_from([2, 4, 6]),
)
def test_arrays_end_where_the_live_stopper_does(
    seed: int, n: int, k: int, error: float, min_samples: int
) -> None:
    rng = random.Random(seed)
    judged = [noisy(rng, n=n, k=24, skill=rng.uniform(0, 4)) for _ in range(3)]
    samples, orders = Samples.of(judged), draw_orders(24, 2, places=n, seed=seed)
    found = LeadRisks().stop(error, min_samples=min_samples)(samples, k, orders)
    expected = [
        [live(Ranking, one, list(order), k, error=error, min_samples=min_samples) for one in judged]
        for order in orders
    ]
    assert found.tolist() == expected


@pytest.mark.parametrize("voter", VOTES)
@pytest.mark.parametrize("scale", [Scale(0, 100), Scale(0, 1), SCALE])
@pytest.mark.parametrize("every", [2, 8])
def test_arrays_end_so_for_every_scale_vote_and_round(voter: str, scale: Scale, every: int) -> None:
    rng, rule = random.Random(1), Rule(voter, VOTES[voter], scale)
    width = scale.high - scale.low
    rows = [
        [
            [scale.low + round(width * min(1, max(0, rng.gauss(mean, 0.25)))) for mean in means]
            for _ in range(24)
        ]
        for means in ((0.4, 0.5, 0.7), (0.2, 0.5), (0.5, 0.6, 0.5)) * 4
    ]
    judged = [verdict(*one) for one in rows]
    samples, orders = Samples.of(judged), draw_orders(24, 2, places=1, seed=0)
    stop = LeadRisks(width, voter).stop(0.05, every=every)
    expected = [
        [live(Ranking, one, list(order), 24, rule, error=0.05, round=every) for one in judged]
        for order in orders
    ]
    assert stop(samples, 24, orders).tolist() == expected
    assert any(drawn < 24 for drawn in expected[0])


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10_000),
    st.integers(2, 5),
    st.sampled_from([4, 9, 24]),
    st.sampled_from([0.2, 0.03, 0.005]),
)
def test_arrays_are_worth_what_the_live_stopper_says(
    seed: int, n: int, k: int, worth: float
) -> None:
    rng = random.Random(seed)
    judged = [noisy(rng, n=n, k=24, skill=rng.uniform(0, 4)) for _ in range(3)]
    orders = draw_orders(24, 2, places=n, seed=seed)
    worths = worths_of_two(Samples.of(judged).scores_G_K_N, k, orders)
    expected = [[live(Advantage, one, list(o), k, worth=worth) for one in judged] for o in orders]
    assert first_within(worths, worth, k).tolist() == expected


def test_groups_without_rivals_and_ties_get_all_samples() -> None:
    single = verdict(*[(0.9,)] * 8, best=1)
    tied = verdict(*[(7, 7, 2)] * 8)
    samples, orders = Samples.of([single, tied]), draw_orders(8, 3)
    assert (LeadRisks().stop(0.49)(samples, 8, orders) == 8).all()


def test_one_study_reckons_its_risks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from grm_plugin.evaluation.scaling import early

    calls = []
    monkeypatch.setattr(
        early, "lead_risks", lambda *a, **kw: calls.append(1) or lead_risks(*a, **kw)
    )
    judged = [noisy(random.Random(seed), n=3, k=16) for seed in range(5)]
    risks = LeadRisks()
    schemes = [voting("mean"), *(stopping(str(e), risks.stop(e)) for e in (0.01, 0.1, 0.4))]
    whole, *_ = study(Samples.of(judged), schemes, Design((8, 16), orders=4))
    drawn = {(one.scheme, one.k): one.cost.samples for one in whole.points}
    assert len(calls) == 2  # once for each k, whatever the schemes
    assert drawn["0.01", 16] >= drawn["0.1", 16] >= drawn["0.4", 16] >= 4


def test_a_larger_error_never_draws_more() -> None:
    judged = [noisy(random.Random(seed), n=4, k=32) for seed in range(20)]
    risks = lead_risks(Samples.of(judged).scores_G_K_N, 32, draw_orders(32, 8))
    drawn = [first_within(risks, error, 32) for error in (0.001, 0.01, 0.1, 0.4)]
    assert all((more >= fewer).all() for more, fewer in itertools.pairwise(drawn))
    assert np.isin(drawn[0], range(4, 33, 2)).all()
