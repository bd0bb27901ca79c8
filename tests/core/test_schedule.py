"""Schedules of k."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError
from grm_plugin.schedule import SaturationSchedule, StepSchedule, read_schedule

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
        ("{by: mood}", "by: expected step or saturation, got 'mood'"),
        ("{by: [step]}", r"by: expected step or saturation, got \['step'\]"),
        ("{stages: []}", "by: expected step or saturation, got None"),
        ("{by: step, stages: []}", "at least 1 item"),
        ("{by: step, stages: [{step: 5, k: 2}]}", r"rising steps from 0 on, got \[5\]"),
        ("{by: step, stages: [{step: 0, k: 2}, {step: 0, k: 4}]}", r"rising steps.*got \[0, 0\]"),
        (
            "{by: step, stages: [{step: 0, k: 2, k_meta: 3}]}",
            "k_meta: expected at most k = 2, got 3",
        ),
        ("{by: saturation, sizes: [{k: 2}], windw: 3}", "windw.*window"),
    ],
)
def test_a_wrong_schedule_is_refused_with_the_reason(text: str, telling: str) -> None:
    with pytest.raises(ConfigError, match=telling):
        read_schedule(yaml.safe_load(text))


def test_a_step_before_the_first_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="expected a step from 0 on, got -1"):
        StepSchedule.model_validate({"stages": [{"step": 0, "k": 2}]}).size_for(-1, ())
