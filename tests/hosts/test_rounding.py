"""What the trainer got of a recorded verdict."""

from __future__ import annotations

from typing import Any

import pytest

from grm_plugin import GRM
from grm_plugin.hosts.recorded import when
from grm_plugin.hosts.reward_range import ranges
from grm_plugin.hosts.rounding import as_judged, as_trained, rounded_to
from grm_plugin.testing import scripted
from grm_plugin.types import Group, Verdict


def recorded(*rewards: float | None, vote: str = "mean", **metadata: Any) -> Verdict:
    group = Group.of("q", [str(n) for n in range(len(rewards))], metadata=metadata)
    left_out = {n: "a veto" for n, one in enumerate(rewards) if one is None}
    return Verdict(group, rewards, unscored_responses=left_out, origin={"vote": vote})


def test_rewards_are_rounded_as_the_group_says_and_again_changes_nothing() -> None:
    made = recorded(0.77, None, 0.99, **when(3, training=True, round_to=0.35))
    assert as_trained(made).rewards == (0.7, None, 1.0)
    assert as_trained(as_trained(made)) == as_trained(made)
    summed = recorded(1.1, vote="sum", **when(3, training=True, round_to=0.35))
    assert as_trained(summed).rewards == pytest.approx((1.05,))


@pytest.mark.parametrize(
    ("settings", "given", "at_size"),
    [
        ({"engine": "scripted", "vote": "borda"}, (0.7, 1.0), [(0, 1)]),
        ({"engine": "scripted", "vote": "sum", "k": 4}, (0.7, 1.05), [(4, 40)]),
        (
            {"engine": "scripted", "vote": "sum", "k": 4, "scalar": {"weight": 2}},
            (0.7, 1.05),
            [(6, 60)],
        ),
        ({"vote": "sum", "scalar": {"use": "alone"}}, (0.7, 1.0), [(0, 1)]),
        ({"vote": "sum", "scalar": {"use": "alone", "raw": True}}, (0.7, 1.05), []),
    ],
)
def test_the_range_of_rewards_is_the_same_for_a_judge_and_on_its_record(
    settings: dict[str, Any], given: tuple[float, ...], at_size: list[tuple[float, float]]
) -> None:
    if "scalar" in settings:
        there = {"name": "server", "url": "http://h", "model": "m"}
        settings = {**settings, "scalar": {"classifier": there, **settings["scalar"]}}
    judge = GRM(plugins=scripted([]), **settings)
    group = Group.of("q", ["a", "b"], metadata=when(3, training=True, round_to=0.35))
    made = Verdict(group, (0.77, 0.99), origin=judge.origin)
    assert as_trained(made).rewards == rounded_to(0.35, made).rewards == pytest.approx(given)
    assert ranges(judge) == at_size


def test_a_judge_that_is_measured_keeps_its_own_rewards() -> None:
    made = recorded(0.77, **when(3, training=True, round_to=0.35))
    assert as_trained(as_judged(made)).rewards == (0.77,)
    assert as_judged(made).group.metadata == when(3, training=True)
    plain = recorded(0.77, round_to=0.35)
    assert as_judged(plain) is plain


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"round_to": 0.5},
        *(
            {"phase": "train", "round_to": odd}
            for odd in (None, "0.5", True, 0.0, -1.0, float("inf"), float("nan"), [1], 5e-324)
        ),
    ],
)
def test_what_is_no_step_of_a_trainer_rounds_nothing(metadata: dict[str, Any]) -> None:
    assert as_trained(recorded(0.77, 0.5, **metadata)).rewards == (0.77, 0.5)
