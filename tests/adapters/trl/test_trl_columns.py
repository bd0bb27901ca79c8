from __future__ import annotations

from grm_plugin.types import Failure, Group, Judgment, Principle, Reason, Verdict
from grm_trl.columns import COLUMNS, columns


def judgment(*scores: float | None, voted: bool = True, text: str = "") -> Judgment:
    principles = (Principle("be true", 60), Principle("be brief"))
    order = tuple(range(len(scores)))
    return Judgment(0, order, 0, text, scores, voted=voted, principles=principles)


def verdict(*judgments: Judgment, dropped: int = 0) -> Verdict:
    failures = tuple(Failure(i, (), 0, Reason.TRUNCATED, "cut") for i in range(dropped))
    rewards = (0.5, 0.5) if judgments else None
    why = "" if judgments else "nothing valid"
    group = Group.of("q", ["a", "b"])
    return Verdict(group, rewards, judgments, failures, why)


def test_columns_show_the_votes_and_the_critique_nearest_to_the_vote() -> None:
    judgments = [
        judgment(9, 1, text="far"),
        judgment(5, 4, text="near"),
        judgment(1, 7, text="far"),
    ]
    first, second = columns(verdict(*judgments))
    assert (first["votes"], second["votes"]) == ([9, 5, 1], [1, 4, 7])
    assert first["critique"] == "near"
    assert first["principles"] == "be true (60); be brief"
    assert tuple(sorted(first)) == tuple(sorted(COLUMNS))


def test_a_judgment_that_did_not_vote_is_not_shown() -> None:
    made = verdict(judgment(9, 1, voted=False, text="unsure"), judgment(2, 2, text="sure"))
    assert columns(made)[0]["critique"] == "sure"
    assert columns(made)[0]["votes"] == [2]


def test_an_unscored_group_shows_why() -> None:
    assert columns(verdict(dropped=1))[1] == {
        "critique": "",
        "votes": [],
        "principles": "",
        "unscored": "nothing valid",
    }


def test_a_response_that_no_judgment_saw_has_no_votes() -> None:
    assert columns(verdict(judgment(8, None)))[1]["votes"] == []


def test_a_single_response_without_a_reward_shows_its_own_reason() -> None:
    group, seen = Group.of("q", ["a", "b"]), judgment(8, None)
    made = Verdict(group, (0.8, None), (seen,), unscored_responses={1: "it breaks its group"})
    assert [row["unscored"] for row in columns(made)] == ["", "it breaks its group"]
