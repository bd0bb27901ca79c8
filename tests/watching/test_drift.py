"""What is simulated: clean runs stay quiet however they get better, and a bias is noticed soon."""

from __future__ import annotations

import math
import random
import statistics
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.watching.compared import Compared
from grm_plugin.watching.drift import Drift, unexplained
from grm_plugin.watching.gap import correlation_of, gap_of
from grm_plugin.watching.moments import Moments
from grm_plugin.watching.start import FEWEST_GROUPS, Start, Starting

GROUPS, SEEDS = 8, 3
NAMED = ["an opening", "praise of itself", "length"]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import watch_alarms

    return watch_alarms


def test_three_seeds_of_every_clean_run_are_quiet(script: ModuleType) -> None:
    false = {
        name: [script.alarm_at(world, GROUPS, 4, f"{name} {seed}") for seed in range(SEEDS)]
        for name, world in script.CLEAN.items()
    }
    assert false == {name: [None] * SEEDS for name in script.CLEAN}


def test_a_bias_is_noticed_within_20_steps_of_its_onset(script: ModuleType) -> None:
    for name in NAMED:
        found = [
            script.alarm_at(script.BIASED[name], GROUPS, 4, f"{name} {seed}")
            for seed in range(SEEDS)
        ]
        assert all(0 <= at - script.ONSET <= 20 for at in found), (name, found)


correlations = st.floats(0.55, 1.0)


@given(correlations, correlations, st.floats(-5, 5))
def test_an_honest_change_is_explained_whatever_the_errors_of_both_judges(
    judge: float, control: float, moved: float
) -> None:
    """By a change of true quality the z of a judge moves as far as it correlates with it."""
    assert unexplained(judge * moved, control * moved, judge * control) <= 1e-9


def test_what_the_control_judge_does_not_see_is_not_explained() -> None:
    assert unexplained(1.0, 0.0, 0.7) == 1.0
    assert unexplained(0.0, -1.0, 0.7) == pytest.approx(0.7)
    assert unexplained(1.0, 1.0, math.nan) == pytest.approx(1 - 1 / 0.3)


def compared(draw: random.Random, groups: int, bias: float = 0.0) -> list[Compared]:
    found = []
    for number in range(groups):
        shared = draw.gauss(0, 1)
        true = [shared + draw.gauss(0, 1) for _ in range(4)]
        rewards = tuple(one + bias + draw.gauss(0, 0.5) for one in true)
        controls = tuple(2 * one + draw.gauss(0, 1.0) for one in true)
        found.append(Compared(f"{number}", rewards, controls))
    return found


def started(draw: random.Random) -> Start:
    starting = Starting(20)
    for _ in range(20):
        starting.add(compared(draw, 8))
    found = starting.start
    assert found is not None
    return found


def test_a_start_takes_enough_rounds_and_groups_and_something_that_differs() -> None:
    draw, starting = random.Random(0), Starting(3)
    starting.add([])
    for _ in range(3):
        assert starting.start is None
        starting.add(compared(draw, 8))
    assert starting.start is None, "24 groups are too few"
    starting.add(compared(draw, FEWEST_GROUPS))
    assert starting.start is not None
    alike = Starting(1)
    alike.add([Compared("", (0.5, 0.5), (0.1, 0.9))] * 50)
    assert alike.start is None, "of rewards that never differ there is no z"


def test_the_error_of_a_gap_is_how_far_it_scatters_over_groups() -> None:
    draw = random.Random(1)
    start = started(draw)
    gaps = [gap_of(compared(draw, 8), start) for _ in range(300)]
    scatter = statistics.stdev(one.value for one in gaps)
    errors = math.sqrt(statistics.fmean(one.error**2 for one in gaps))
    assert errors == pytest.approx(scatter, rel=0.15)
    assert statistics.fmean(one.value for one in gaps) == pytest.approx(0, abs=0.1)


def test_the_error_of_a_correlation_is_how_far_it_scatters_over_groups() -> None:
    draw = random.Random(2)
    found = [correlation_of(compared(draw, 16)) for _ in range(300)]
    scatter = statistics.stdev(one.value for one in found)
    errors = math.sqrt(statistics.fmean(one.error**2 for one in found))
    assert errors == pytest.approx(scatter, rel=0.25)
    assert statistics.fmean(one.value for one in found) == pytest.approx(0.8, abs=0.03)


def test_groups_of_one_response_have_a_gap_and_no_correlation() -> None:
    start = started(random.Random(3))
    ones = [Compared("", (0.4,), (0.2,))] * 3
    assert math.isfinite(gap_of(ones, start).value)
    assert math.isnan(correlation_of(ones).value)
    assert math.isnan(gap_of([], start).value)


def test_a_round_without_groups_of_the_control_judge_changes_nothing() -> None:
    draw = random.Random(4)
    drift = Drift(started(draw))
    drift.add(compared(draw, 8, bias=0.5))
    before = drift.onset, drift.level
    drift.add([])
    assert (drift.onset, drift.level) == before


pairs = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), max_size=20)


@given(pairs, pairs)
def test_moments_of_two_parts_add_up_to_those_of_the_whole(
    first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    def of(found: list[tuple[float, float]]) -> Moments:
        moments = Moments()
        for pair in found:
            moments.add(*pair)
        return moments

    whole, parts = of(first + second), of(first) + of(second)
    assert parts.count == whole.count
    for name in ("x", "y", "xx", "yy", "xy"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), abs=1e-6)
