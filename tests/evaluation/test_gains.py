"""What k samples come to, and what more of them gain: paired, with intervals that hold."""

from __future__ import annotations

import io
import math
import random
from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

pytest.importorskip("numpy")

import numpy as np

from grm_plugin import Group, Verdict
from grm_plugin.cli.eval_tables import curve_table
from grm_plugin.errors import InputError
from grm_plugin.evaluation.accuracy import all_vote, best
from grm_plugin.evaluation.figures import Mean, each_of
from grm_plugin.evaluation.gains import GREEDY, ONE, gains
from grm_plugin.evaluation.items import items_of
from grm_plugin.evaluation.resampled import Resampled, mean_of_independent
from grm_plugin.evaluation.resampling import Difference
from grm_plugin.evaluation.resettling import (
    Ballot,
    marks_on_record,
    rule_on_record,
)
from grm_plugin.evaluation.votes import Votes, votes_of
from grm_plugin.pipeline.settling import Rule
from grm_plugin.pipeline.voting import mean
from grm_plugin.types import Cost, Judgment, Reason, Scalar, Scale

RULE = Rule("mean", mean, Scale(1, 10))
SCORES = st.lists(st.tuples(*[st.integers(1, 10)] * 2), min_size=1, max_size=6)


def verdict(number: int, scores: list[tuple[int, ...]], **metadata: object) -> Verdict:
    """One whose judgments wrote ``scores``; each read 10 tokens and wrote 5."""
    judgments = tuple(
        Judgment(k, (0, 1), k, "", tuple(map(float, each)), prompt_tokens=10, output_tokens=5)
        for k, each in enumerate(scores)
    )
    known = {"best": 0, "subset": f"s{number % 2}", **metadata}
    group = Group.of(f"q{number}", ["a", "b"], id=str(number), metadata=known)
    rewards = tuple((fmean(column) - 1) / 9 for column in zip(*scores, strict=True))
    return Verdict(group, rewards, judgments, cost=Cost.of(judgments))


def noisy(groups: int, samples: int, *, ahead: float = 1.0, seed: int = 0) -> list[Verdict]:
    """A judge whose first response is ahead by so many points, with noise."""
    rng = random.Random(seed)

    def score(middle: float) -> int:
        return min(10, max(1, round(rng.gauss(middle, 2))))

    return [
        verdict(n, [(score(5 + ahead), score(5)) for _ in range(samples)]) for n in range(groups)
    ]


def accuracy(votes: Votes) -> Mean:
    return Mean("all", below=each_of(votes.items, "subset"))


@given(SCORES)
def test_all_samples_come_to_what_the_judge_gave(scores: list[tuple[int, int]]) -> None:
    found = verdict(0, scores)
    for as_judged in (True, False):
        ballot = Ballot(RULE, as_judged=as_judged)
        (rewards,) = ballot.rewards(found, len(scores), 8)
        assert rewards == pytest.approx(found.rewards)
        assert ballot.verdict(found).rewards == pytest.approx(found.rewards)


@given(SCORES, st.integers(1, 6))
def test_the_first_set_is_the_first_k_samples(scores: list[tuple[int, int]], k: int) -> None:
    found, few = verdict(0, scores), verdict(0, scores[:k])
    rewards = Ballot(RULE).rewards(found, k, 8)
    assert rewards[0] == pytest.approx(few.rewards)
    again = Ballot(RULE).verdict(found, k)
    assert again.rewards == pytest.approx(few.rewards)
    assert again.judgments == few.judgments and again.cost == few.cost


def test_every_single_sample_is_looked_at_for_one() -> None:
    found = verdict(0, [(10, 1), (1, 10), (10, 1), (5, 5)])
    rewards = Ballot(RULE).rewards(found, 1, 8)
    assert sorted(map(str, rewards)) == sorted(
        map(str, [(1.0, 0.0), (0.0, 1.0), (1.0, 0.0), (4 / 9, 4 / 9)])
    )


def test_a_dropped_sample_takes_its_place_among_the_k() -> None:
    first, second = verdict(0, [(10, 1), (1, 10)]).judgments
    whole = verdict(0, [(10, 1), (1, 10)])
    half = replace(
        whole, judgments=(second,), failures=(first.failed(Reason.UNREADABLE, "nothing"),)
    )
    assert Ballot(RULE).rewards(half, 1, 8) == [None, (0.0, 1.0)]


def test_a_verdict_that_was_never_judged_stays_without_rewards() -> None:
    empty = replace(verdict(0, [(1, 2)]), rewards=None, judgments=(), unscored="refused: no")
    assert Ballot(RULE).rewards(empty, 4, 8) == [None]
    assert Ballot(RULE).verdict(empty) is empty
    assert Ballot(RULE).verdict(empty, 4) == replace(empty, origin={"k": 4})


def test_choices_are_made_among_the_samples_that_are_left() -> None:
    scores = [(10, 1), (1, 10), (1, 10), (1, 10)]
    found = verdict(0, scores)
    rated = replace(
        found,
        judgments=tuple(
            replace(one, meta_score=float(-one.sample), voted=one.sample == 3)
            for one in found.judgments
        ),
    )
    assert Ballot(RULE, best(1), as_judged=False).rewards(rated, 4, 1) == [(1.0, 0.0)]
    assert Ballot(RULE, all_vote, as_judged=False).rewards(rated, 4, 1) == [(0.25, 0.75)]
    half = marks_on_record({"select": {"name": "meta_rm"}, "k": 4, "k_meta": 2})
    assert sum(one.voted for one in half(rated.judgments[:2], 2)) == 1
    assert sum(one.voted for one in half(rated.judgments, 4)) == 2


def test_soft_weights_on_record_weigh_fewer_samples_anew() -> None:
    origin = {"select": {"name": "weights"}, "weights": {"margin": 1.0, "drop_below": 0.9}}
    found = verdict(0, [(6, 5), (1, 10)])
    light = replace(found, judgments=(replace(found.judgments[0], voted=False, weight=0.0),
                                      found.judgments[1]))  # fmt: skip
    ballot = Ballot(RULE, marks_on_record(origin))
    assert ballot.rewards(light, 1, 2) == [pytest.approx((5 / 9, 4 / 9)), (0.0, 1.0)]


def test_more_samples_gain_and_the_gain_is_paired() -> None:
    votes = votes_of(noisy(200, 8), Ballot(RULE), [1, 2, 4, 8])
    found = gains(accuracy(votes), votes, k=8)
    values = [one.value.value for one in found.curve]
    assert values == sorted(values) and values[-1] - values[0] > 0.1
    over = found.top.over[ONE]
    assert over.value == pytest.approx(values[-1] - values[0])
    assert 0 < over.low < over.value < over.high
    paired = over.high - over.low
    alone = sum(found.curve[n].value.high - found.curve[n].value.low for n in (0, -1))
    assert paired < 0.8 * alone
    assert [part.measured.name for part in found.top.parts] == ["s0", "s1"]


def test_items_of_a_single_source_have_no_gain_to_tell() -> None:
    judged = [verdict(n, [(9, 3), (4, 6)], source=f"s{n % 2}") for n in range(8)]
    votes = votes_of(judged, Ballot(RULE), [1, 2])
    top = gains(accuracy(votes), votes, k=2).top
    assert ONE in top.over and [part.over for part in top.parts] == [{}, {}]


def test_a_greedy_judge_is_compared_group_for_group() -> None:
    judged = noisy(60, 4)
    votes = votes_of(judged, Ballot(RULE), [1, 4])
    same = gains(accuracy(votes), votes, k=4, greedy=votes.items)
    over = same.top.over[GREEDY]
    assert (over.value, over.p) == (0, 1) and math.isnan(over.low)
    worse = [replace(item, rewards=(0.0, 1.0)) for item in votes.items]
    found = gains(accuracy(votes), votes, k=4, greedy=worse)
    assert found.top.over[GREEDY].value == found.top.measured.value


def test_what_k_samples_cost_and_what_a_point_costs() -> None:
    judged = [replace(one, cost=Cost(seconds=8.0)) for one in noisy(200, 8)]
    votes = votes_of(judged, Ballot(RULE), [1, 8])
    found = gains(accuracy(votes), votes, k=8)
    one, many = found.curve
    assert (one.tokens, many.tokens) == (15, 120)
    assert (one.seconds, many.seconds) == (1, 8)
    points = 100 * (many.value.value - one.value.value)
    assert many.per_point(one)["tokens"] == pytest.approx(105 / points)
    assert many.per_point(one)["money"] is None and one.per_point(one) == {}
    told = io.StringIO()
    Console(file=told, width=120).print(curve_table((one, many), found.top.measured))
    assert "tokens a point  seconds a point" in told.getvalue()
    assert f"{many.per_point(one)['seconds']:,.2g}" in told.getvalue()


def test_fewer_samples_cost_less_of_the_judge_and_the_same_scalar_rm() -> None:
    judged = verdict(0, [(9, 1)] * 4)
    votes = tuple(replace(one, money=1.0) for one in judged.judgments)
    scalar, cost = Scalar((1.0, 0.0), money=5.0, flops=1000.0), Cost(flops=1080.0, money=9.0)
    judged = replace(judged, judgments=votes, scalar=scalar, cost=cost)
    for k in (1, 2, 4):
        cut = Ballot(RULE, as_judged=k == 4).verdict(judged, k).cost
        for found in (cut, votes_of([judged], Ballot(RULE), [k]).costs[k]):
            assert (found.money, found.flops) == (5 + k, 1000 + 20 * k)


def test_a_group_without_samples_costs_what_its_scalar_rm_did() -> None:
    scalar = Scalar((1.0, 0.0), judged=False, money=5.0, flops=1000.0)
    sure = replace(verdict(0, [(9, 1)]), judgments=(), scalar=scalar, cost=Cost(flops=1000.0))
    found = votes_of([sure], Ballot(RULE), [4]).costs[4]
    assert (found.money, found.flops, found.output_tokens) == (5, 1000, 0)


def test_a_point_of_a_rate_of_errors_is_one_less_of_them() -> None:
    votes = votes_of(noisy(200, 8), Ballot(RULE), [1, 8])
    wrong = Mean("all", value=lambda item: 1 - item.rewards[0], lower_is_better=True)
    one, many = gains(wrong, votes, k=8).curve
    fewer = replace(many, value=replace(many.value, value=one.value.value - 0.1))
    assert fewer.per_point(one)["tokens"] == pytest.approx(10.5)
    assert replace(fewer, lower_is_better=False).per_point(one) == {}


def test_chance_alone_is_called_a_gain_as_rarely_as_the_interval_says() -> None:
    alarms = 0
    for trial in range(60):
        rng = np.random.default_rng(trial)
        first, second = rng.random(80) < 0.6, rng.random(80) < 0.6
        items = list(items_of(noisy(80, 1, seed=trial)))
        numbers = {
            name: (lambda weights, values=values: weights @ values / weights.sum(axis=1))
            for name, values in (("first", first), ("second", second))
        }
        found = Resampled(items, numbers, resamples=400, seed=trial).difference("first", "second")
        alarms += not found.low <= 0 <= found.high
        assert (found.p < 0.02) <= (not found.low <= 0 <= found.high)
    assert alarms <= 9  # of 60 at 5 %: more than 9 come once in 10,000 times


def apart(sources: int, *changes: float, seed: int = 0) -> Difference:
    """Of ``1 - change`` to 1 in items of so many sources, the changes taken in turn."""
    items = [
        replace(one, metadata={"source": n % sources})
        for n, one in enumerate(items_of(noisy(len(changes) * sources, 1)))
    ]
    values_G = np.array([changes[n // sources] for n in range(len(items))])
    numbers = {
        "first": lambda weights: weights.sum(axis=1) / weights.sum(axis=1),
        "second": lambda weights: 1 - weights @ values_G / weights.sum(axis=1),
    }
    return Resampled(items, numbers, resamples=400, seed=seed).difference("first", "second")


@pytest.mark.parametrize("sources", [1, 2, 5])
def test_a_few_sources_tell_no_difference_however_many_items_they_have(sources: int) -> None:
    found = apart(sources, *[1.0] * 40)
    assert found.value == 1 and all(map(math.isnan, (found.low, found.high, found.p)))


@pytest.mark.parametrize(("sources", "p"), [(6, 0.03125), (20, 2.0**-19)])
def test_sources_that_all_differ_alike_have_the_sign_test_and_an_interval_of_some_width(
    sources: int, p: float
) -> None:
    found = apart(sources, 1.0, 1.0)
    assert found.p == p and 0 < found.low < found.high == 1
    assert (apart(sources, 0.0).value, apart(sources, 0.0).p) == (0, 1)


def test_chance_in_a_few_sources_is_called_a_difference_as_rarely_as_in_many() -> None:
    alarms = 0
    for trial in range(120):
        values = np.random.default_rng(trial).standard_normal(6).repeat(4)
        items = [
            replace(one, metadata={"source": n // 4})
            for n, one in enumerate(items_of(noisy(24, 1)))
        ]
        numbers = {
            "first": lambda weights, values=values: weights @ values / weights.sum(axis=1),
            "second": lambda weights: np.zeros(len(weights)),
        }
        found = Resampled(items, numbers, resamples=400, seed=trial).difference("first", "second")
        alarms += not found.low <= 0 <= found.high
    assert alarms <= 14  # of 120 at 5 %; percentiles alone give a fifth


def test_the_mean_of_benchmarks_is_surer_than_each_of_them() -> None:
    rng = np.random.default_rng(0)
    parts = [(0.5, 0.5 + 0.1 * rng.standard_normal(4000)) for _ in range(4)]
    found = mean_of_independent(parts)
    assert found.value == 0.5
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.1 / 2, rel=0.08)


def test_the_same_resamples_do_not_make_benchmarks_move_together() -> None:
    values = 0.5 + 0.1 * np.random.default_rng(0).standard_normal(4000)
    found = mean_of_independent([(0.5, values)] * 4)
    assert found.high - found.low < 0.25  # 0.39 if they did


def test_the_rule_on_record_is_that_of_the_template_and_the_voter() -> None:
    with pytest.raises(InputError, match="template 'gone' is not installed"):
        rule_on_record({"template": "gone", "template_hash": "0"})
    with pytest.raises(InputError, match="or another by now"):
        rule_on_record({"template": "grm", "template_hash": "0"})
    assert rule_on_record({"vote": "median"}, template="grm").name == "median"
    assert rule_on_record({"plan": "pairs"}, template="grm").both_orders
