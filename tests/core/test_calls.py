"""The three calls about one prompt: score, rank and compare."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import Group, Verdict
from grm_plugin.errors import InputError, TransportError
from grm_plugin.types import Comparison, Ranking
from tests.core.honest_judge import grm, group

REWARDS = st.lists(st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=6)


def test_a_prompt_and_its_responses_are_scored_as_their_group() -> None:
    asked = group(3, 8, reference="eight")
    with grm(k=2) as judge:
        found = judge.score("q", ["quality 3", "quality 8"], reference="eight")
        assert found.group == asked and found.rewards == judge.score(asked).rewards


async def test_it_is_scored_so_in_a_loop_too() -> None:
    with grm(k=2) as judge:
        found = await judge.score_async("q", ["quality 3", "quality 8"])
    assert Ranking(found).order == (1, 0)


def test_responses_are_ranked_best_first_and_equal_ones_share_a_rank() -> None:
    with grm(k=2) as judge:
        ranking = judge.rank("q", ["quality 3", "quality 8", "quality 5", "quality 8!"])
    assert ranking.order == (1, 3, 2, 0)
    assert ranking.ranks == (4, 1, 3, 1)
    assert ranking.best is None and ranking.unscored == {}


def test_a_group_can_be_ranked_too() -> None:
    with grm(k=2) as judge:
        assert judge.rank(group(3, 8, 5)).best == 1


def test_two_responses_are_compared_with_a_margin_for_the_first() -> None:
    with grm(k=2) as judge:
        ahead = judge.compare("q", "quality 8", "quality 3")
        behind = judge.compare("q", "quality 3", "quality 8")
        level = judge.compare("q", "quality 8", "quality 8!")
    assert (ahead.outcome, ahead.winner, ahead.margin) == ("first", 0, pytest.approx(5 / 9))
    assert (behind.outcome, behind.winner) == ("second", 1)
    assert behind.margin == -(ahead.margin or 0)
    assert (level.outcome, level.winner, level.margin) == ("tie", None, 0)


def test_what_the_judge_did_not_answer_is_neither_ranked_nor_a_tie() -> None:
    with grm([TransportError("down")], tries=1) as judge:
        ranking = judge.rank("q", ["quality 3", "quality 8"])
        comparison = judge.compare("q", "quality 3", "quality 8")
    assert ranking.order == () and ranking.ranks == (None, None) and ranking.best is None
    assert set(ranking.unscored) == {0, 1} and "valid" in ranking.unscored[0]
    assert (comparison.outcome, comparison.winner, comparison.margin) == ("unscored", None, None)
    assert "valid" in comparison.unscored


@given(REWARDS)
def test_a_ranking_holds_every_scored_response_once_and_no_other(
    rewards: list[float | None],
) -> None:
    asked = Group.of("q", [str(n) for n in range(len(rewards))])
    ranking = Ranking(Verdict(asked, tuple(rewards), unscored_responses={}))
    known = [n for n, reward in enumerate(rewards) if reward is not None]
    assert sorted(ranking.order) == known == [n for n, one in enumerate(ranking.ranks) if one]
    assert [ranking.ranks[n] for n in ranking.order] == sorted(ranking.ranks[n] for n in known)


def test_rewards_that_differ_by_rounding_are_a_tie() -> None:
    pair = Group.of("q", ["a", "b"])
    assert Comparison(Verdict(pair, (0.1 + 0.2, 0.3))).outcome == "tie"
    assert Ranking(Verdict(pair, (0.1 + 0.2, 0.3))).ranks == (1, 1)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda judge: judge.score("q"), "expected a Group, or a prompt and its responses"),
        (lambda judge: judge.score({"prompt": "q"}), "got .*prompt.* and no responses"),
        (lambda judge: judge.rank("q", "one text"), "expected several texts, got one"),
        (lambda judge: judge.score("q", ["a"], refrence="b"), "refrence"),
        (lambda judge: judge.score(group(1, 2), ["a"]), "expected a group alone"),
    ],
)
def test_a_call_without_a_group_says_what_was_expected(call, told: str) -> None:
    with grm(k=2) as judge, pytest.raises(InputError, match=told):
        call(judge)


def test_only_two_responses_make_a_comparison() -> None:
    with pytest.raises(ValueError, match="expected two responses to compare, got 3"):
        Comparison(Verdict(group(1, 2, 3), None))
