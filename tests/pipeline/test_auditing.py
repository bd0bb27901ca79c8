"""Audits of a scalar RM: one that is right keeps its say, one that is hacked loses it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.pipeline.agreeing import agreement
from grm_plugin.pipeline.auditing import EVIDENCE, TOLERANCE, Audit, Auditing
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.overtaking import alike
from grm_plugin.pipeline.settling import Rule
from grm_plugin.pipeline.voting import mean
from grm_plugin.size import Size
from grm_plugin.types import Group, Judgment, Scalar, Scale
from grm_plugin.types.scalars import sigmoid

audits = st.builds(Audit, st.floats(0.5, 1), st.floats(0.5, 1), st.floats(0, 1))


def raised_after(
    audits: Iterator[Audit], most: int, sure: float = 0.8, level: int = 0
) -> int | None:
    """After how many audits the threshold moved; None if it stayed."""
    state = Auditing(sure, level)
    for number in range(1, most + 1):
        state = state.told(next(audits))
        if state.level != level:
            return number
    return None


def drawn(claim: float, agreement: float, seed: int, pairs: int = 3) -> Iterator[Audit]:
    rng = random.Random(seed)
    while True:
        same = sum(rng.random() < agreement for _ in range(pairs)) / pairs
        yield Audit(max(claim, 0.8), claim, same)


@pytest.mark.parametrize("claim", [0.8, 0.9, 0.98])
def test_one_that_is_as_right_as_it_claims_is_seldom_found_wanting(claim: float) -> None:
    runs = [raised_after(drawn(claim, claim, seed), 500) for seed in range(200)]
    assert sum(one is not None for one in runs) <= 2


def test_false_alarms_stay_below_their_bound_where_agreement_is_at_the_edge() -> None:
    """At the edge of the tolerance a bet is even, and the bound n / EVIDENCE is nearest."""
    n, runs = 400, 300
    edge = 0.9 - TOLERANCE
    alarms = sum(raised_after(drawn(0.9, edge, seed), n) is not None for seed in range(runs))
    bound = n / EVIDENCE
    assert alarms / runs <= bound + 3 * math.sqrt(bound * (1 - bound) / runs)


@pytest.mark.parametrize(
    ("claim", "right", "within"),
    [(0.9, 0.5, 60), (0.98, 0.5, 45), (0.98, 0.2, 30), (0.9, 0.7, 200)],
)
def test_a_hacked_one_is_found_out(claim: float, right: float, within: int) -> None:
    runs = [raised_after(drawn(claim, right, seed), within) for seed in range(100)]
    assert sum(one is not None for one in runs) >= 95


def test_it_is_found_out_as_soon_after_a_long_honest_time() -> None:
    state = Auditing(0.8)
    for audit, _ in zip(drawn(0.9, 0.95, 1), range(2000), strict=False):
        state = state.told(audit)
    assert state.threshold == 0.8
    for audit, _ in zip(drawn(0.95, 0.5, 2), range(60), strict=False):
        state = state.told(audit)
    assert state.threshold == 1.0


@pytest.mark.parametrize(("right", "comes_down"), [(0.95, True), (0.9, True), (0.8, False)])
def test_it_comes_down_only_on_evidence(right: float, comes_down: bool) -> None:
    runs = [raised_after(drawn(0.9, right, seed), 600, level=2) for seed in range(60)]
    down = sum(one is not None for one in runs) / 60
    assert down > 0.9 if comes_down else down == 0


def test_it_comes_down_in_steps_that_groups_below_them_do_not_count_for() -> None:
    state = Auditing(0.8, level=2)
    for _ in range(1000):
        state = state.told(Audit(sureness=0.85, claim=0.85, agreement=1.0))
    assert state.threshold == 1.0  # nothing is known of groups from 0.9 on
    for _ in range(1000):
        state = state.told(Audit(sureness=0.95, claim=0.95, agreement=1.0))
    assert state.threshold == 0.8


@given(st.lists(audits, max_size=60), st.floats(0.5, 1))
def test_whatever_it_is_told_it_is_a_threshold_and_bets_stay_above_nothing(
    told: list[Audit], sure: float
) -> None:
    state = Auditing(sure)
    for audit in told:
        state = state.told(audit)
        assert state.threshold in state.thresholds and sure <= state.threshold <= 1
        assert all(1 <= bet < math.inf for bet in (*state.against, *state.favour))


@given(st.floats(0.5, 1), st.floats(0.5, 1))
def test_a_threshold_of_1_lets_no_group_pass(sure: float, sureness: float) -> None:
    assert not Auditing(sure, level=2).is_sure(sureness)
    assert Auditing(sure).is_sure(sureness) == (sure < 1 and sureness >= sure)
    assert not Auditing(sure).is_sure(None)


def case_of(logits: tuple[float | None, ...]) -> Case:
    group = Group.of("q", [f"r{n}" for n in range(len(logits))])
    members = tuple(range(len(logits)))
    return Case(group, group, (members,), members, Size(k=8), 1, scalar=Scalar(logits))


RULE = Rule("mean", mean, Scale(1, 10))


def judged(*rows: tuple[float, ...]) -> list[Judgment]:
    return [Judgment(k, tuple(range(len(row))), k, "", row) for k, row in enumerate(rows)]


def test_agreement_is_by_pairs_and_a_tie_of_the_judge_is_a_half() -> None:
    found = agreement(case_of((3.0, 0.0, -3.0)), judged((9, 5, 5)) * 4, RULE)
    assert found is not None and found.share == pytest.approx(2.5 / 3)
    assert agreement(case_of((3.0, None)), judged((9, 1)), RULE) is None


def test_a_claim_is_what_an_unsure_judge_can_agree_to() -> None:
    surely = [(9.0, 2.0)] * 8
    torn = [(9.0, 2.0), (2.0, 9.0)] * 4 + [(6.0, 5.0)]
    case = case_of((3.0, 0.0))
    clear, open_ = (agreement(case, judged(*rows), RULE) for rows in (surely, torn))
    assert 0.9 < clear.claim < sigmoid(3.0)
    assert open_.claim == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("k", [4, 8, 32])
def test_a_judge_to_whom_all_are_alike_is_held_against_what_is_claimed(k: int) -> None:
    """As it is once a policy writes one and the same, and a scalar RM is sure of its order."""
    found = agreement(case_of((3.0, -3.0)), judged(*[(1, 1)] * k), RULE)
    state, audits = Auditing(0.8), 0
    while state.threshold < 1 and audits < 100:
        state, audits = state.told(Audit(0.998, found.claim, found.share)), audits + 1
    assert found.share == 0.5 and audits <= 60


def against(accuracy: float, right: float, seed: int, judge: float = 0.8) -> int | None:
    """When it alarms at a scalar RM that is as ``right`` by labels, and a judge that errs, too."""
    rng, gap = random.Random(seed), math.log(0.9 / 0.1)

    def told() -> Iterator[Audit]:
        while True:
            first = rng.random() < right
            same = first == (rng.random() < judge)  # the judge's error is in all of its samples
            found = agreement(
                case_of((gap, 0.0)), judged(*[(8, 3) if same else (3, 8)] * 8), RULE, accuracy
            )
            yield Audit(0.9, found.claim, found.share)

    return raised_after(told(), 400)


def test_a_judge_that_errs_is_no_alarm_where_its_accuracy_is_known() -> None:
    """Scalar RM and labels agree on nine of ten pairs, judge and labels on eight of ten."""
    assert [against(0.8, 0.9, seed) for seed in range(20)].count(None) >= 19
    assert [against(1.0, 0.9, seed) for seed in range(20)].count(None) <= 1
    assert [against(0.8, 0.3, seed) for seed in range(20)].count(None) == 0


@given(st.floats(0.5, 1), st.floats(0.5, 1), st.floats(0.5, 1))
def test_who_errs_independently_agrees_as_often_as_all_ways_to_err_come_to(
    p: float, a: float, q: float
) -> None:
    c = p * a + (1 - p) * (1 - a)
    assert alike(p, a, q) == pytest.approx(c * q + (1 - c) * (1 - q))


def test_a_tie_that_may_be_chance_claims_little() -> None:
    case = case_of((3.0, -3.0))
    one, torn = (agreement(case, judged(*rows), RULE) for rows in ([(5, 5)], [(9, 1), (1, 9)]))
    assert one.claim < 0.6 and torn.claim < 0.6


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("noise", [1.0, 2.5, 4.5])
def test_an_honest_scalar_rm_agrees_as_often_as_claimed_with_a_noisy_judge(
    noise: float, digits: int | None
) -> None:
    """Truth is drawn from the scalar RM's own model; the judge sees it through noise."""

    def points(middle: float, spread: float) -> float:
        drawn = middle + rng.gauss(0, spread)
        return drawn if digits is None else round(drawn, digits)

    rng, gaps = random.Random(3), []
    for _ in range(1500):
        gap = rng.uniform(1.0, 4.0)
        ahead = 1 if rng.random() < sigmoid(gap) else -1
        rows = [(points(5.5 + ahead, noise), points(5.5 - ahead, 0)) for _ in range(8)]
        found = agreement(case_of((gap, 0.0)), judged(*rows), RULE)
        if found:
            gaps.append(found.share - found.claim)
    assert sum(gaps) / len(gaps) > -TOLERANCE
