"""Hosts without "no opinion" get numbers that teach nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import Group
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.fallback import Fallback, Filled, described, extra_logs
from grm_plugin.hosts.metrics import METRICS, numbers
from grm_plugin.types import Cost, Failure, Judgment, Reason, Verdict

NAN = math.nan


def verdict(*rewards: float | None, responses: int = 2) -> Verdict:
    """A verdict with these rewards, None for a response without; no rewards: an unscored group."""
    group = Group.of("q", [str(n) for n in range(len(rewards) or responses)])
    return Verdict(group, rewards or None, unscored="" if rewards else "no judge")


def test_a_scored_group_keeps_its_rewards() -> None:
    assert Fallback().fill(verdict(0.1, 0.9)) == Filled((0.1, 0.9), filled=0, unscored=False)


def test_a_response_left_unscored_gets_the_mean_of_the_scored_ones_of_its_group() -> None:
    assert Fallback().fill(verdict(0.2, None, 0.6)) == Filled((0.2, 0.4, 0.6), filled=1)


def test_an_unscored_group_gets_one_value_for_all() -> None:
    filled = Fallback(start=0.3).fill(verdict(responses=4))
    assert filled == Filled((0.3,) * 4, unscored=True)


def test_a_group_in_which_no_response_was_scored_is_an_unscored_group() -> None:
    assert Fallback(start=0.3).fill(verdict(None, None)) == Filled((0.3, 0.3), unscored=True)


def test_the_value_of_an_unscored_group_is_the_mean_of_recent_rewards() -> None:
    fallback = Fallback(start=0.0)
    fallback.fill(verdict(0.5, 1.0))
    fallback.fill(verdict(0.0))
    assert fallback.fill(verdict()).rewards == (0.5, 0.5)


def test_a_caller_that_knows_better_names_the_value_of_an_unscored_group() -> None:
    fallback = Fallback()
    fallback.fill(verdict(0.9))
    assert fallback.fill(verdict(), 0.2).rewards == (0.2, 0.2)
    assert fallback.fill(verdict(0.4, None), 0.2).rewards == (0.4, 0.4)


def test_only_the_last_rewards_count_as_recent() -> None:
    fallback = Fallback(window=2)
    for reward in (0.0, 0.4, 0.6):
        fallback.fill(verdict(reward))
    assert fallback.value == pytest.approx(0.5)


def test_what_was_filled_in_does_not_move_the_mean() -> None:
    fallback = Fallback()
    fallback.fill(verdict(0.2, None))
    fallback.fill(verdict(0.8))
    for _ in range(3):
        fallback.fill(verdict())
    assert fallback.value == pytest.approx(0.5)


def test_a_response_that_missed_the_judging_gets_the_mean_of_its_group() -> None:
    assert Fallback().fill(verdict(0.2, 0.6)).mean == pytest.approx(0.4)
    assert Fallback(start=0.3).fill(verdict()).mean == 0.3


def test_what_a_host_logs_are_the_same_names_for_every_verdict_and_finite_numbers() -> None:
    votes = [(2.0, 9.0), (4.0, 9.0)]
    judged = Verdict(
        verdict(1.0, 0.5).group,
        (1.0, 0.5),
        tuple(Judgment(k, (0, 1), 0, "", scores) for k, scores in enumerate(votes)),
        (Failure(2, (0, 1), 0, Reason.TIMEOUT, "late"), Failure(3, (0, 1), 0, Reason.META, "")),
        cost=Cost(10, 20, 1.5),
        origin={"k": 4},
    )
    logged = extra_logs(judged, Fallback().fill(judged))
    assert logged == {
        "grm/reward_mean": 0.75,
        "grm/unscored_rate": 0.0,
        "grm/filled_rate": 0.0,
        "grm/k": 4.0,
        "grm/k_drawn": 4.0,
        "grm/selected_rate": 1.0,
        "grm/tie_rate": 0.0,
        "grm/length_correlation": 0.0,
        "grm/place_first": -3.0,
        "grm/early_rate": 0.0,
        "grm/reward_spread": 0.25,
        "grm/valid_rate": 0.5,
        "grm/vote_spread": 0.5,
        "grm/control_rate": 0.0,
        "grm/control_failed_rate": 0.0,
        "grm/judged_rate": 0.0,
        "grm/sureness": 0.0,
        "grm/sure_threshold": 0.0,
        "grm/audited_rate": 0.0,
        "grm/audit_agreement": 0.0,
        "grm/audit_claim": 0.0,
        "grm/scalar_correlation": 0.0,
        "grm/scalar_saturated_rate": 0.0,
        "grm/scalar_failed_rate": 0.0,
        "grm/tokens_in": 10.0,
        "grm/tokens_out": 20.0,
        "grm/cache_hit_rate": 0.0,
        "grm/reliability": pytest.approx(17.5 / 18.5),
        "grm/flops": 0.0,
        "grm/money": 0.0,
        "grm/unpriced_rate": 1.0,
        "grm/seconds": 1.5,
    }
    nothing = extra_logs(verdict(), Fallback().fill(verdict()))
    assert nothing.keys() == logged.keys()
    assert logged.keys() == {f"grm/{one.name}" for one in described()}
    assert nothing["grm/unscored_rate"] == 1.0
    assert all(type(number) is float and math.isfinite(number) for number in nothing.values())


def test_what_stands_for_a_number_that_does_not_exist_is_described() -> None:
    none = verdict()
    counted = numbers(Tally.of([none]))
    logged = extra_logs(none, Fallback().fill(none))
    meanings = {one.name: one.meaning for one in described()}
    stand_ins = [name for name in counted if f"grm/{name}" in logged and math.isnan(counted[name])]
    assert all("0 w" in meanings[name] for name in {*stand_ins} - {"reward_mean"})
    assert len(stand_ins) > 5


@pytest.mark.parametrize("settings", [{"window": 0}, {"start": NAN}])
def test_settings_that_make_no_numbers_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"window of 1 or more and a finite start, got .*(0|nan)"):
        Fallback(**settings)


@given(
    st.lists(
        st.one_of(
            st.integers(1, 5),
            st.lists(st.sampled_from([0.0, 0.25, 1.0, None]), min_size=1, max_size=5),
        ),
        max_size=20,
    )
)
def test_every_response_gets_a_finite_number_within_what_was_rewarded(
    groups: list[int | list[float | None]],
) -> None:
    fallback = Fallback()
    for one in groups:
        given_ = verdict(responses=one) if isinstance(one, int) else verdict(*one)
        filled = fallback.fill(given_)
        assert len(filled.rewards) == len(given_.group.responses)
        assert all(0.0 <= reward <= 1.0 for reward in filled.rewards)
        assert not filled.unscored or len(set(filled.rewards)) == 1


def test_a_metric_of_a_group_says_itself_what_0_stands_for() -> None:
    told = {one.name: one.meaning for one in described()}
    for one in (metric.described for metric in METRICS):
        if one.name != "reward_mean":  # which has a meaning of its own here
            assert (one.name in told) == (one.in_a_group is not None)
        if one.in_a_group and one.name in told:
            assert told[one.name] == f"{one.meaning}; {one.in_a_group}"
