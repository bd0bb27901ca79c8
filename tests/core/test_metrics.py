from __future__ import annotations

import math

import pytest

from grm_plugin.hosts import counting as metrics
from grm_plugin.types import Cost, Failure, Group, Judgment, Reason, Verdict


def judgment(*scores: float | None, voted: bool = True) -> Judgment:
    return Judgment(0, tuple(range(len(scores))), 0, "", scores, voted=voted)


def verdict(*judgments: Judgment, dropped: int = 0) -> Verdict:
    failures = tuple(Failure(i, (), 0, Reason.TRUNCATED, "cut") for i in range(dropped))
    rewards = (0.5, 0.5) if judgments else None
    why = "" if judgments else "nothing valid"
    group = Group.of("q", ["a", "b"])
    return Verdict(group, rewards, judgments, failures, why, Cost(10, 4, 1.0))


def test_numbers_are_shares_means_and_sums_over_the_call() -> None:
    verdicts = [verdict(judgment(8, 4), judgment(6, 4, voted=False), dropped=2), verdict(dropped=4)]
    found = metrics.numbers(verdicts, [[0.25, 0.75]])
    assert found["reward_mean"] == 0.5
    assert found["reward_spread"] == 0.25
    assert found["vote_spread"] == 0.0
    assert (found["tie_rate"], found["abstain_rate"]) == (0.0, 0.5)
    assert (found["valid_rate"], found["dropped_truncated"]) == (0.25, 0.75)
    assert found["meta_keep_rate"] == 0.5
    assert (found["tokens_in"], found["tokens_out"]) == (20.0, 8.0)


def test_vote_spread_is_the_spread_of_the_samples_not_of_the_responses() -> None:
    assert metrics.numbers([verdict(judgment(8, 2), judgment(4, 2))], [])["vote_spread"] == 1.0


@pytest.mark.parametrize(("rewards", "tied"), [([1, 1, 0], 1.0), ([1, 0, 0], 0.0), ([1], 0.0)])
def test_only_a_tie_for_the_top_is_a_tie(rewards: list[float], tied: float) -> None:
    assert metrics.numbers([], [rewards])["tie_rate"] == tied


def test_names_are_always_the_same_and_a_number_that_does_not_exist_is_nan() -> None:
    empty, full = metrics.numbers([], []), metrics.numbers([verdict(judgment(8, 4))], [[1, 0]])
    assert empty.keys() == full.keys()
    assert all(isinstance(value, float) for value in (*empty.values(), *full.values()))
    assert math.isnan(empty["reward_mean"])
    assert {f"dropped_{reason}" for reason in Reason} <= empty.keys()
