"""What the co-scaling study's figures say of runs that were made up."""

from __future__ import annotations

import json
import math
import random
import re
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError
from recipes.coscaling.figures.__main__ import main
from recipes.coscaling.figures.arms import Arms
from recipes.coscaling.figures.claims import ALONE, LARGEST_GAP, Claim, claims, not_by_holm
from recipes.coscaling.figures.limits import gap, reached
from recipes.coscaling.figures.runs import Run, read_run
from recipes.coscaling.figures.seeds import over_seeds, paired, surprise
from recipes.coscaling.following import logged
from recipes.coscaling.following import slope as regression
from recipes.coscaling.plan import plan
from tests.recipes.scalar_rm_reports import a_training

ROUNDS, UPDATES, KEPT = 40, 4, 5


def made_up(
    arm: str,
    seed: int,
    *,
    end: float,
    rounds: int = ROUNDS,
    flops: float = 100.0,
    tokens: float = 10.0,
    fooled: float = 0.0,
) -> Run:
    """A run that gets better evenly until the common rounds, and stays there."""
    rng = random.Random(f"{arm}/{seed}")
    end += rng.gauss(0, 0.004)
    steps = list(range(0, rounds * UPDATES + 1, KEPT * UPDATES))
    truth = [0.45 + (end - 0.45) * min(1.0, step / (ROUNDS * UPDATES)) for step in steps]
    curve = [0.45 + (end - 0.45) * min(1.0, (one + 1) / ROUNDS) for one in range(rounds)]
    reward = [one + fooled * min(1.0, place / ROUNDS) for place, one in enumerate(curve)]
    spent = {
        "steps": [float(step) for step in steps],
        "flops": [flops * step for step in steps],
        "tokens": [tokens * step for step in steps],
        "seconds": [float(step) for step in steps],
    }
    return Run(
        arm=arm,
        seed=seed,
        steps_P=steps,
        heldout_P=truth,
        tune_P=truth,
        spent_P=spent,
        reward_R=reward,
        truth_R=curve,
        deviations=(0.25, 0.25),
        slope=1.0,
        correlation_R=[0.5] * rounds,
        responses=128,
    )


def a_study(**ends: float) -> Arms:
    """Five seeds of each arm."""
    costs = {
        "grm_k8": (8.0, 8.0, ROUNDS),
        "growing": (4.5, 4.5, ROUNDS),
        "scalar_k4": (5.0, 4.0, ROUNDS),
        "scalar": (0.8, 0.0, 230),
        "scalar_kl": (0.8, 0.0, 230),
        "grm_k1": (1.0, 1.0, 190),
        "grm_k2": (2.0, 2.0, 95),
    }
    runs = [
        made_up(arm, seed, end=end, rounds=rounds, flops=flops, tokens=tokens)
        for arm, end in ends.items()
        for flops, tokens, rounds in [costs[arm]]
        for seed in range(1, 6)
    ]
    return Arms(runs, rounds=ROUNDS, updates=UPDATES, edge=5)


def whole(**changed: float) -> Arms:
    ends = {
        "grm_k8": 0.70, "growing": 0.70, "scalar_k4": 0.70,
        "scalar": 0.55, "scalar_kl": 0.58, "grm_k1": 0.60, "grm_k2": 0.65,
    }  # fmt: skip
    return a_study(**{**ends, **changed})


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


def test_at_equal_cost_a_cheap_run_is_read_where_it_has_spent_as_much() -> None:
    arms = whole()
    limits = arms.spent("growing", "tokens")
    run = arms.runs("grm_k1")[1]
    assert reached(run, "tokens", limits[1]).spent == pytest.approx(limits[1])
    assert limits[1] == 4.5 * ROUNDS * UPDATES


@given(
    qualities=st.lists(st.floats(0, 1), min_size=3, max_size=9),
    share=st.floats(0.05, 1.5),
)
def test_a_peak_is_chosen_by_tune_and_never_beyond_the_limit(
    qualities: Sequence[float], share: float
) -> None:
    size = len(qualities)
    run = replace(
        made_up("any", 1, end=0.5),
        steps_P=list(range(size)),
        heldout_P=list(qualities),
        tune_P=list(reversed(qualities)),
        spent_P={"steps": [float(one) for one in range(size)]},
    )
    limit = share * (size - 1)
    found = reached(run, "steps", limit)
    within = [place for place in range(size) if place <= limit]
    assert found.peak == qualities[max(within, key=lambda place: run.tune_P[place])]
    assert min(qualities) - 1e-9 <= found.mean <= max(qualities) + 1e-9
    assert found.spent == min(limit, size - 1)


def test_the_gap_grows_where_reward_leaves_true_quality_behind() -> None:
    honest, fooled = (made_up("any", 1, end=0.7, fooled=by) for by in (0.0, 0.1))
    assert gap(honest, rounds=ROUNDS, edge=5).standard == pytest.approx(0, abs=1e-9)
    found = gap(fooled, rounds=ROUNDS, edge=5)
    assert found.quality == pytest.approx(0.1 * 35 / 40)
    assert found.standard == pytest.approx(found.quality / 0.25)


def judged(seed: int, *, bias: float, noise: float = 0.1, slope: float = 0.4) -> Run:
    """A policy that gets better, and a reward with errors; what it is paid for falsely grows."""
    rng = random.Random(seed)
    rounds = []
    for one in range(ROUNDS):
        qualities = [rng.gauss(0.45 + 0.15 * one / ROUNDS, 0.28) for _ in range(128)]
        told = [0.3 + slope * q + rng.gauss(0, noise) + bias * one / ROUNDS for q in qualities]
        rounds.append(list(zip(qualities, told, strict=True)))
    truth, reward = (
        [statistics.fmean(pair[side] for pair in pairs) for pairs in rounds] for side in (0, 1)
    )
    of_reward, of_truth = (
        statistics.pstdev(pair[side] for pairs in rounds[:5] for pair in pairs) for side in (1, 0)
    )
    return replace(
        made_up("grm_k8", seed, end=0.6),
        reward_R=reward,
        truth_R=truth,
        deviations=(of_reward, of_truth),
        slope=regression(logged(pairs) for pairs in rounds[:5]),
    )


def the_gap(*, bias: float) -> Claim:
    runs = [judged(seed, bias=bias) for seed in range(1, 6)]
    return claims(Arms(runs, rounds=ROUNDS, updates=UPDATES, edge=5))[0]


def test_an_honest_reward_with_errors_has_no_gap_whatever_the_policy_gains() -> None:
    for noise, slope in ((0.05, 0.4), (0.2, 0.4), (0.1, 0.2)):
        runs = [judged(seed, bias=0.0, noise=noise, slope=slope) for seed in range(20)]
        gaps = [gap(run, rounds=ROUNDS, edge=5) for run in runs]
        assert abs(statistics.fmean(one.standard for one in gaps)) < 0.03


def test_the_gap_is_held_by_the_end_of_its_interval() -> None:
    honest, false = the_gap(bias=0.0), the_gap(bias=0.01)
    assert honest.holds and honest.found.high < LARGEST_GAP
    assert false.found.value < LARGEST_GAP < false.found.high and not false.holds
    assert not the_gap(bias=0.03).holds


def test_a_reward_that_told_nothing_at_the_start_has_no_gap_in_true_quality() -> None:
    runs = [replace(judged(seed, bias=0.0), slope=-0.01) for seed in (1, 2)]
    assert math.isnan(gap(runs[0], rounds=ROUNDS, edge=5).quality)
    assert not claims(Arms(runs, rounds=ROUNDS, updates=UPDATES, edge=5))[0].holds


def test_intervals_of_seeds_hold_the_truth_as_often_as_they_say() -> None:
    rng = random.Random(3)
    held = 0
    for _ in range(2000):
        found = over_seeds([rng.gauss(0.1, 0.05) for _ in range(5)])
        held += found.low <= 0.1 <= found.high
    assert 0.935 < held / 2000 < 0.965


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6))
def test_an_interval_leaves_zero_out_where_p_is_small(values: list[float]) -> None:
    found, p = over_seeds(values), surprise(values)
    if abs(p - 0.05) > 1e-6:
        assert (p < 0.05) == (found.low > 0 or found.high < 0)


def test_one_seed_tells_no_interval() -> None:
    assert (over_seeds([0.3]).low, surprise([0.3])) == (-math.inf, 1.0)


def test_differences_are_of_seeds_that_both_have() -> None:
    assert paired({1: 0.5, 2: 0.75}, {2: 0.25, 3: 0.0}) == {2: 0.5}


def written(folder: Path, arm: str, seed: int, *, gain: float, costs: float) -> None:
    """A run's files as the study's commands write them, of 40 rounds and the points they keep."""
    run = folder / "runs" / arm / str(seed)
    run.mkdir(parents=True)
    lines, steps = [], plan().rounds * plan().updates
    for step in range(1, steps + 1):
        row = {"step": step, "loss": 0.1, "cpu_seconds": 0.5 + costs}
        if step % plan().updates == 1:
            row |= {
                "reward": 0.4 + gain * step / steps,
                "true_quality": 0.45 + gain * step / steps,
                "true_quality_deviation": 0.3,
                "rewards/grm/std" if costs else "rewards/true_quality/std": 0.2,
                "rewards/watched/std": None,
            }
            row |= {"grm/alarms": float(step > 100 and costs == 1.0)}
            row |= {"flops": 1e9 * costs, "tokens": 5e3}
            row |= {"grm/truth_correlation": 0.6} if costs else {}
        if costs and step % plan().updates == 2:  # a verdict that was told of late
            row |= logged([(0.25, 0.5), (0.75, 0.7)])
        lines.append(json.dumps(row))
    (run / "metrics.jsonl").write_text("\n".join([*lines, json.dumps({"step": steps})]) + "\n")
    every = plan().kept * plan().updates
    points = [
        {"step": step, **{name: {"quality": 0.4 + gain * step / steps} for name in plan().queries}}
        for step in range(0, steps + 1, every)
    ]
    truth = folder / "truth" / arm / f"{seed}.json"
    truth.parent.mkdir(parents=True, exist_ok=True)
    truth.write_text(json.dumps(points))


def test_runs_on_disk_become_figures_and_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    costs = {"grm_k8": 8.0, "scalar": 1.0, "growing": 4.0, "checker": 0.0}
    for arm, gain in (("grm_k8", 0.3), ("scalar", 0.1), ("growing", 0.28), ("checker", 0.35)):
        for seed in (1, 2):
            written(tmp_path, arm, seed, gain=gain + seed / 100, costs=costs[arm])
    main(tmp_path)
    slopes = [
        read_run(tmp_path / f"runs/{arm}/1", tmp_path / f"truth/{arm}/1.json", edge=5, responses=8)
        .slope
        for arm in ("grm_k8", "checker")
    ]  # fmt: skip
    assert slopes == pytest.approx([0.4, 1.0])
    told = json.loads((tmp_path / "figures.json").read_text())
    claim = told["claims"][0]
    assert claim["name"] == "grm_k8 - scalar, equal steps"
    assert claim["found"]["value"] == pytest.approx(0.2)
    assert claim["holds"] is None
    assert claim["open"] == "so far 2 of 5 seeds of grm_k8"
    assert told["arms"]["scalar"]["megaflops"] == pytest.approx(1e9 / 128 / 1e6)
    assert told["arms"]["grm_k8"]["equal"]["flops"]["value"] == pytest.approx(0.4 + 0.315 / 2)
    assert {name: one["alarms"] for name, one in told["arms"].items()} == {
        "grm_k8": 0, "scalar": 1, "growing": 0, "checker": 0,
    }  # fmt: skip
    assert told["arms"]["grm_k8"]["correlation"]["value"] == pytest.approx(0.6)
    assert told["arms"]["checker"]["correlation"] is None
    assert told["exchange rates"]["grm_k8"] == pytest.approx({"flops": 8, "seconds": 8})
    assert "grm_k8_kl" not in told["missing"]  # it is cut
    assert told["missing"]["scalar_k4"] == [1, 2, 3, 4, 5] and told["missing"]["scalar"] == [
        3,
        4,
        5,
    ]
    assert (tmp_path / "figures.png").stat().st_size > 10_000
    assert (tmp_path / "figures_gap.png").exists()
    assert "not done yet: grm_k1 1, 2, 3, 4, 5" in capsys.readouterr().out


@pytest.mark.parametrize(("doubled", "flat"), [(0.397, True), (0.41, True), (0.38, False)])
def test_a_training_is_flat_where_twice_the_passes_gain_nothing(
    doubled: float, flat: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_training(tmp_path / "scalar/1", [0.69, 0.5, 0.4, 0.4], "epochs")  # its rate fell to 0
    a_training(tmp_path / "scalar/doubled", [0.69, 0.5, 0.45, doubled], "epochs")
    main(tmp_path)
    told = json.loads((tmp_path / "figures.json").read_text())
    assert told["gained by twice the passes"] == pytest.approx(0.4 - doubled)
    assert ("NOT flat" in capsys.readouterr().out) is not flat


def test_nothing_is_told_at_equal_cost_of_an_arm_that_ended_before_it_cost_as_much(
    tmp_path: Path,
) -> None:
    for arm, cost in {"scalar": 1.0, "growing": 4.0, "grm_k8": 8.0}.items():
        written(tmp_path, arm, 1, gain=0.1, costs=cost)
    main(tmp_path)
    arms = json.loads((tmp_path / "figures.json").read_text())["arms"]
    told = {name: "flops" in one["equal"] for name, one in arms.items()}
    assert told == {"scalar": False, "growing": True, "grm_k8": True}


def test_a_cost_that_nobody_measured_is_told_as_none(tmp_path: Path) -> None:
    costs = {"scalar": 1.0, "growing": 4.0, "checker": 0.0, "openrlhf_scalar": 1.0}
    for arm, cost in costs.items():
        for seed in (1, 2):
            written(tmp_path, arm, seed, gain=0.1, costs=cost)
            log = tmp_path / "runs" / arm / str(seed) / "metrics.jsonl"
            if arm == "openrlhf_scalar":
                log.write_text(log.read_text().replace('"cpu_seconds"', '"clock"'))
    main(tmp_path)
    told = json.loads((tmp_path / "figures.json").read_text())
    assert told["arms"]["openrlhf_scalar"]["milliseconds"] is None
    assert {*told["arms"]["openrlhf_scalar"]["equal"]} == {"steps", "tokens"}
    assert {*told["arms"]["growing"]["equal"]} == {"steps", "flops", "tokens", "seconds"}
    assert told["exchange rates"]["openrlhf_scalar"] == {"flops": 1, "seconds": None}


def test_a_report_of_no_training_is_named(tmp_path: Path) -> None:
    a_training(tmp_path / "scalar/1", [0.5], "flat")
    (tmp_path / "scalar/1/report.json").write_text("{}")
    with pytest.raises(ConfigError, match="scalar/1"):
        main(tmp_path)


def test_a_study_of_which_nothing_is_done_says_what_is_missing(tmp_path: Path) -> None:
    main(tmp_path)
    told = json.loads((tmp_path / "figures.json").read_text())
    planned = {arm.name: arm.seeds for arm in plan().arms if not arm.cut}
    assert {name: len(seeds) for name, seeds in told["missing"].items()} == planned
    assert told["claims"] == []


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("runs/grm_k8/1/metrics.jsonl", "{", "line of JSON a step"),
        ("runs/grm_k8/1/metrics.jsonl", '{"step": 8, "reward": 1}', "another run"),
        ("truth/grm_k8/1.json", "[]", "measured steps that rise"),
        ("truth/grm_k8/1.json", '[{"step": 2}, {"step": 1}]', "measured steps that rise"),
        ("truth/grm_k8/1.json", "7", "list of measured steps"),
    ],
)
def test_files_of_no_run_are_named(tmp_path: Path, file: str, text: str, says: str) -> None:
    written(tmp_path, "grm_k8", 1, gain=0.1, costs=8)
    (tmp_path / file).write_text(text)
    run, truth = tmp_path / "runs/grm_k8/1", tmp_path / "truth/grm_k8/1.json"
    with pytest.raises(ConfigError, match=says):
        read_run(run, truth, edge=5, responses=128)
