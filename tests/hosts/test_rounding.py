"""What the trainer got of a recorded verdict."""

from __future__ import annotations

from typing import Any

import pytest

from grm_plugin.hosts.recorded import when
from grm_plugin.hosts.rounding import as_judged, as_trained
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
