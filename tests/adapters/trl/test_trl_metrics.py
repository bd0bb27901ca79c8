from __future__ import annotations

import math

import pytest

from grm_plugin.types import Cost, Failure, Group, Judgment, Principle, Reason, Verdict
from grm_trl import metrics


def judgment(*scores: float | None, voted: bool = True, text: str = "") -> Judgment:
    principles = (Principle("be true", 60), Principle("be brief"))
    order = tuple(range(len(scores)))
    return Judgment(0, order, 0, text, scores, voted=voted, principles=principles)


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


def test_columns_show_the_votes_and_the_critique_nearest_to_the_vote() -> None:
    judgments = [
        judgment(9, 1, text="far"),
        judgment(5, 4, text="near"),
        judgment(1, 7, text="far"),
    ]
    first, second = metrics.columns(verdict(*judgments))
    assert (first["votes"], second["votes"]) == ([9, 5, 1], [1, 4, 7])
    assert first["critique"] == "near"
    assert first["principles"] == "be true (60); be brief"
    assert tuple(sorted(first)) == tuple(sorted(metrics.COLUMNS))


def test_a_judgment_that_did_not_vote_is_not_shown() -> None:
    made = verdict(judgment(9, 1, voted=False, text="unsure"), judgment(2, 2, text="sure"))
    assert metrics.columns(made)[0]["critique"] == "sure"
    assert metrics.columns(made)[0]["votes"] == [2]


def test_an_unscored_group_shows_why() -> None:
    assert metrics.columns(verdict(dropped=1))[1] == {
        "critique": "",
        "votes": [],
        "principles": "",
        "unscored": "nothing valid",
    }


def test_a_response_that_no_judgment_saw_has_no_votes() -> None:
    assert metrics.columns(verdict(judgment(8, None)))[1]["votes"] == []
