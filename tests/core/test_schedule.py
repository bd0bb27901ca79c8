"""Schedules of k."""

from __future__ import annotations

import itertools
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError
from grm_plugin.reliability import of_k_votes
from grm_plugin.schedule import (
    ReliabilitySchedule,
    SaturationSchedule,
    StepSchedule,
    read_schedule,
)

BY_STEP = read_schedule(
    yaml.safe_load(
        "{by: step, stages: [{step: 0, k: 2}, {step: 10, k: 4}, {step: 30, k: 8, k_meta: 4}]}"
    )
)
BY_REWARD = read_schedule(
    yaml.safe_load("{by: saturation, window: 3, rise: 0.05, sizes: [{k: 2}, {k: 4}, {k: 8}]}")
)


@pytest.mark.parametrize(("step", "k"), [(0, 2), (9, 2), (10, 4), (29, 4), (30, 8), (10**6, 8)])
def test_a_stage_holds_from_its_step_until_the_next(step: int, k: int) -> None:
    assert BY_STEP.size_for(step, []).k == k


def test_k_meta_comes_with_its_stage() -> None:
    assert [BY_STEP.size_for(step, []).k_meta for step in (0, 30)] == [None, 4]


def test_rising_rewards_keep_k() -> None:
    assert BY_REWARD.size_for(0, [step / 10 for step in range(50)]).k == 2


def test_level_rewards_raise_k_one_size_per_two_windows() -> None:
    assert [BY_REWARD.size_for(0, [0.5] * seen).k for seen in (5, 6, 11, 12, 100)] == [
        2,
        4,
        4,
        8,
        8,
    ]


def test_a_fall_of_the_reward_after_a_change_of_k_is_not_compared_with_the_time_before() -> None:
    before, after = [0.5] * 6, [0.30, 0.35, 0.40, 0.45, 0.50, 0.55]
    assert BY_REWARD.size_for(0, before + after).k == 4


def test_steps_without_rewards_do_not_count() -> None:
    assert BY_REWARD.size_for(0, [0.5, math.nan] * 5).k == 2
    assert BY_REWARD.size_for(0, [0.5, math.nan] * 6).k == 4


@given(st.lists(st.floats(0, 1)), st.lists(st.floats(0, 1)))
def test_k_never_falls(seen: list[float], later: list[float]) -> None:
    assert BY_REWARD.size_for(0, seen).k <= BY_REWARD.size_for(0, seen + later).k


def test_the_defaults_wait_for_forty_steps() -> None:
    schedule = SaturationSchedule.model_validate({"sizes": [{"k": 1}, {"k": 2}]})
    assert [schedule.size_for(0, [0.5] * seen).k for seen in (39, 40)] == [1, 2]


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("{by: mood}", "by: expected step, saturation or reliability, got 'mood'"),
        ("{by: [step]}", r"by: expected step, saturation or reliability, got \['step'\]"),
        ("{stages: []}", "by: expected step, saturation or reliability, got None"),
        ("{by: step, stages: []}", "at least 1 item"),
        ("{by: step, stages: [{step: 5, k: 2}]}", r"rising steps from 0 on, got \[5\]"),
        ("{by: step, stages: [{step: 0, k: 2}, {step: 0, k: 4}]}", r"rising steps.*got \[0, 0\]"),
        (
            "{by: step, stages: [{step: 0, k: 2, k_meta: 3}]}",
            "k_meta: expected at most k = 2, got 3",
        ),
        ("{by: saturation, sizes: [{k: 2}], windw: 3}", "windw.*window"),
        (
            "{by: reliability, sizes: [{k: 1}, {k: 4}]}",
            r"a k that rises, from 2 on \(one vote does not show its scatter\), got \[1, 4\]",
        ),
        ("{by: reliability, sizes: [{k: 4}, {k: 4}]}", r"a k that rises.*got \[4, 4\]"),
        ("{by: reliability, sizes: []}", "at least 1 item"),
        ("{by: reliability, target: 1}", "target: expected less than 1, got 1"),
        ("{by: reliability, target: 0}", "target: expected more than 0, got 0"),
        ("{by: reliability, window: 0}", "window"),
    ],
)
def test_a_wrong_schedule_is_refused_with_the_reason(text: str, telling: str) -> None:
    with pytest.raises(ConfigError, match=telling):
        read_schedule(yaml.safe_load(text))


BY_RELIABILITY = ReliabilitySchedule(window=4)
reliabilities = st.one_of(st.just(math.nan), st.floats(-1, 1))


def k_for(*seen: float) -> int:
    return BY_RELIABILITY.size_for(0, seen).k


@pytest.mark.parametrize("one", [0.95, 0.7, 0.5, 0.4, 0.2, 0.1])
def test_a_steady_reliability_gets_the_smallest_k_whose_mean_vote_reaches_the_target(
    one: float,
) -> None:
    found = k_for(*[one] * 4)
    enough = [k for k in (2, 4, 8, 16, 32) if of_k_votes(one, k) >= 0.8 - 1e-9]
    assert found == (enough or [32])[0]


@pytest.mark.parametrize("one", [0.0, -0.3, 0.01])
def test_votes_of_which_no_number_is_reliable_get_the_largest_size(one: float) -> None:
    assert k_for(*[one] * 4) == 32


def test_the_first_size_holds_until_a_whole_window_is_known() -> None:
    assert k_for(0.1, 0.1, math.nan, 0.1) == 2
    assert k_for(0.1, 0.1, math.nan, 0.1, 0.1) == 32


@given(st.integers(0, 30), st.floats(-1, 1))
def test_one_noisy_step_changes_nothing(place: int, noise: float) -> None:
    steady = [0.5] * 31
    noisy = [*steady[:place], noise, *steady[place + 1 :]]
    for end in range(32):
        assert k_for(*noisy[:end]) == k_for(*steady[:end])


def test_k_comes_down_only_when_three_quarters_of_the_window_allow_it() -> None:
    many = [0.2] * 4
    assert k_for(*many, 0.6, 0.6, 0.2, 0.2) == 16
    assert k_for(*many, 0.2, 0.6, 0.6, 0.6) == 16
    assert k_for(*many, 0.6, 0.6, 0.6, 0.6) == 4


def test_a_reliability_between_two_sizes_does_not_make_k_swing() -> None:
    near = [0.49, 0.51] * 20  # 0.5 asks for 4
    assert {BY_RELIABILITY.size_for(0, near[:end]).k for end in range(4, 40)} == {8}


@given(st.lists(reliabilities, max_size=60))
def test_k_is_an_allowed_size_and_changes_at_most_once_in_a_window(seen: list[float]) -> None:
    ks = [k_for(*seen[:end]) for end in range(len(seen) + 1)]
    assert set(ks) <= {2, 4, 8, 16, 32}
    known = [i for i in range(len(seen)) if not math.isnan(seen[i])]
    changes = [known.index(i) for i in range(len(seen)) if ks[i + 1] != ks[i]]
    assert all(later - earlier >= 4 for earlier, later in itertools.pairwise([-1, *changes]))


@given(st.lists(reliabilities, max_size=60))
def test_steps_whose_votes_tell_nothing_change_nothing(seen: list[float]) -> None:
    assert k_for(*seen) == k_for(*(one for one in seen if not math.isnan(one)))


def test_a_step_before_the_first_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="expected a step from 0 on, got -1"):
        StepSchedule.model_validate({"stages": [{"step": 0, "k": 2}]}).size_for(-1, ())
