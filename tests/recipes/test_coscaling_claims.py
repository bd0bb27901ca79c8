"""What the claims of the co-scaling study come to, of runs that were made up."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from recipes.coscaling.figures.arms import Arms
from recipes.coscaling.figures.claims import ALONE, claims, not_by_holm
from recipes.coscaling.plan import plan
from tests.recipes.coscaling_runs import ROUNDS, UPDATES, a_study, made_up, whole


def test_a_study_in_which_everything_holds_says_so() -> None:
    told = claims(whole())
    assert [one.name for one in told] == [
        "grm_k8 - scalar_kl, equal steps",
        "growing - scalar_kl, equal flops",
        "growing - grm_k1, equal tokens",
        "growing - grm_k2, equal tokens",
        "scalar_k4 - grm_k8, equal steps",
        "hacking gap of grm_k8",
    ]
    assert all(one.holds for one in told)
    assert not_by_holm(told) == []


def test_a_claim_that_fails_is_told_as_not_met() -> None:
    told = {one.name: one for one in claims(whole(scalar=0.75))}
    lost = told["grm_k8 - scalar, equal steps"]
    assert not lost.holds
    assert lost.found.high < 0


def test_the_best_scalar_arm_is_the_one_that_the_tuning_queries_like() -> None:
    runs = [run for name in whole().names for run in whole().runs(name).values()]
    liked = [
        replace(run, tune_P=[1.0] * len(run.tune_P)) if run.arm == "scalar" else run for run in runs
    ]
    arms = Arms(liked, rounds=ROUNDS, updates=UPDATES, edge=5)
    assert claims(arms)[0].name == "grm_k8 - scalar, equal steps"


def test_the_best_scalar_arm_is_one_of_those_that_the_protocol_names() -> None:
    protocol = Path("docs/decisions/0023-grm-against-a-scalar-rm.md").read_text(encoding="utf-8")
    line = protocol.partition("**Best scalar arm**: among ")[2].partition(" the one that")[0]
    assert tuple(re.findall(r"`(\w+)`", line)) == ALONE
    assert {*ALONE} <= {arm.name for arm in plan().arms}


def dense(seeds: int) -> Arms:
    """A study in which `scalar_dense` has a few seeds, and ends best of the scalar arms."""
    runs = [run for name in whole().names for run in whole().runs(name).values()]
    runs += [made_up("scalar_dense", seed, end=0.6, rounds=230) for seed in range(1, seeds + 1)]
    return Arms(runs, rounds=ROUNDS, updates=UPDATES, edge=5)


def test_over_a_best_scalar_arm_of_three_seeds_three_are_compared_and_five_told_beside() -> None:
    claim = claims(dense(3))[0]
    assert claim.name == "grm_k8 - scalar_dense, equal steps"
    assert [*claim.seeds] == [1, 2, 3]
    assert claim.beside["over scalar_kl, 5 seeds"] == claims(whole())[0].found


def test_a_scalar_arm_of_one_seed_takes_no_claim_away() -> None:
    assert claims(dense(1)) == claims(whole())


def test_a_claim_has_no_verdict_until_all_planned_seeds_are_there() -> None:
    runs = [run for name in whole().names for run in whole().runs(name).values()]
    size = {"rounds": ROUNDS, "updates": UPDATES, "edge": 5}
    planned = dict.fromkeys(whole().names, 5)
    assert all(one.holds for one in claims(Arms(runs, **size, planned=planned)))
    told = claims(Arms([run for run in runs if run.seed < 3], **size, planned=planned))
    assert {one.holds for one in told} == {None}
    assert told[-1].open == "so far 2 of 5 seeds of grm_k8"
    first, *_, last = claims(Arms(runs, **size, planned={**planned, "scalar_dense": 3}))
    assert first.holds is None and "scalar_dense" in first.open and last.holds


def test_a_claim_at_equal_cost_has_no_verdict_where_an_arm_did_not_spend_as_much() -> None:
    runs = [run for name in whole().names for run in whole().runs(name).values()]
    short = [
        replace(run, spent_P={**run.spent_P, "tokens": [0.9 * step for step in run.steps_P]})
        if run.arm == "grm_k1"
        else run
        for run in runs
    ]
    told = {one.name: one for one in claims(Arms(short, rounds=ROUNDS, updates=UPDATES, edge=5))}
    claim = told["growing - grm_k1, equal tokens"]
    assert claim.beside["reached share"].value == pytest.approx(0.9 * 190 / 180)
    assert claim.holds is None and claim.open.startswith("grm_k1 spent 0.")
    assert told["growing - grm_k2, equal tokens"].holds


def test_as_good_needs_both_the_quality_and_the_price() -> None:
    def held(arms: Arms) -> bool | None:
        return next(one.holds for one in claims(arms) if one.name.startswith("scalar_k4"))

    worse = whole(scalar_k4=0.67)
    dear = [
        replace(run, spent_P={**run.spent_P, "flops": [8.0 * step for step in run.steps_P]})
        if run.arm == "scalar_k4"
        else run
        for name in whole().names
        for run in whole().runs(name).values()
    ]
    assert held(whole())
    assert not held(worse)
    assert not held(Arms(dear, rounds=ROUNDS, updates=UPDATES, edge=5))


def test_arms_that_were_not_run_are_claimed_nothing_of() -> None:
    assert claims(a_study(grm_k8=0.7)) == [one for one in claims(whole()) if "gap" in one.name][:1]
    assert claims(Arms([], rounds=ROUNDS, updates=UPDATES, edge=5)) == []


def test_by_holm_a_claim_that_is_not_measured_counts_as_no_difference() -> None:
    seeds = dict(enumerate([0.02, 0.05, 0.03, 0.004, 0.04], 1))
    found = replace(claims(whole())[0], seeds=seeds)
    assert 0.05 / 4 < found.p < 0.05 / 2
    assert not_by_holm([found], tests=2) == []
    assert not_by_holm([found], tests=4) == [found.name]
