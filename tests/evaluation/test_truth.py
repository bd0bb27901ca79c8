"""What is known of a group, what its rewards come to, and that every outcome is one of four."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import Group
from grm_plugin.errors import InputError
from grm_plugin.evaluation.outcomes import Outcome, credit, outcome
from grm_plugin.evaluation.truth import Best, Correct, Ratings, Truth, label_of, truth_of

POINTS = st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def group(n: int, **metadata: Any) -> Group:
    return Group.of("q", [f"r{i}" for i in range(n)], metadata=metadata)


@pytest.mark.parametrize(
    ("found", "truth"),
    [
        (group(2, best=1), Best((1,))),
        (group(4, best=[2, 0]), Best((0, 2))),
        (group(1, correct=0), Correct((0,))),
        (group(1, correct=[1]), Correct((1,))),
        (group(3, correct=[0, 1, 0]), Correct((0, 1, 0))),
        (group(2, correct=[0, 0]), Correct((0, 0))),
        (group(1, ratings=[3.5]), Ratings((3.5,))),
        (group(2, ratings=[2, 2]), Ratings((2, 2))),
        (group(2, best=1, ratings=[1, 2]), Best((1,))),
    ],
)
def test_metadata_say_what_is_known_of_a_group(found: Group, truth: Truth) -> None:
    assert truth_of(found) == truth


@pytest.mark.parametrize(
    ("found", "telling"),
    [
        (group(2), "expected best, correct or ratings of 2 responses, got no truth"),
        (group(2, best=2), "best: expected the index of one of 2 responses, 0 to 1, got '2'"),
        (group(2, best=True), "best: expected the index"),
        (group(2, best=[0, 1]), "best: expected 1 to 1 different indices"),
        (group(3, best=[1, 1]), "best: expected 1 to 2 different indices"),
        (group(3, best=[]), "best: expected 1 to 2 different indices"),
        (group(1, best=0), "best: expected two responses or more"),
        (group(2, correct=1), "correct: expected 2 labels, 0 or 1, one for each response"),
        (group(2, correct=[1, "no"]), "correct.1: expected 0 or 1, got 'no'"),
        (group(1, correct=0.5), "correct: expected 0 or 1, got '0.5'"),
        (group(2, ratings=[1]), "ratings: expected 2 numbers, one for each response"),
        (group(2, ratings=[1, float("inf")]), "ratings.1: expected a number, got 'inf'"),
        (group(2, best=0, ratings=[1, 2]), "best: expected places of the maximum of ratings"),
        (group(2, best=0, correct=[1, 0]), "expected one of best, correct, got 2"),
    ],
)
def test_what_does_not_fit_the_group_is_refused(found: Group, telling: str) -> None:
    with pytest.raises(InputError, match=telling.replace("[", r"\[").replace(".", r"\.")):
        truth_of(found)


@given(st.integers(2, 5), st.data())
def test_where_training_has_a_label_evaluation_has_the_same_best_response(
    n: int, data: st.DataObject
) -> None:
    best = data.draw(st.integers(0, n - 1))
    ratings = [float(index == best) for index in range(n)]
    for found in (
        group(n, best=best),
        group(n, ratings=ratings),
        group(n, best=best, ratings=ratings),
    ):
        truth = truth_of(found)
        assert isinstance(truth, Best | Ratings)
        label = label_of(found)
        assert label == best
        assert truth == (Best((best,)) if "best" in found.metadata else Ratings(tuple(ratings)))


@pytest.mark.parametrize(
    ("rewards", "truth", "found"),
    [
        ((0.9, 0.1), Best((0,)), Outcome.RIGHT),
        ((0.1, 0.9), Best((0,)), Outcome.WRONG),
        ((0.5, 0.5), Best((0,)), Outcome.TIE),
        ((0.4, 0.4, 0.6), Best((0,)), Outcome.WRONG),
        ((0.6, 0.6, 0.4), Best((0, 1)), Outcome.RIGHT),
        ((0.6, 0.6, 0.6), Best((0, 1)), Outcome.TIE),
        (None, Best((0,)), Outcome.UNSCORED),
        ((0.9, None), Best((0,)), Outcome.UNSCORED),
        ((), Best((0,)), Outcome.UNSCORED),
        ((0.9,), Correct((1,)), Outcome.RIGHT),
        ((0.9,), Correct((0,)), Outcome.WRONG),
        ((0.5,), Correct((0,)), Outcome.TIE),
        ((0.2, 0.9), Correct((0, 1)), Outcome.RIGHT),
        ((0.2, 0.9), Correct((0, 0)), Outcome.WRONG),
        ((0.9, 0.9), Correct((1, 1)), Outcome.RIGHT),
        ((0.2, 0.9), Ratings((1, 2)), None),
        (None, Ratings((1, 2)), Outcome.UNSCORED),
    ],
)
def test_a_group_is_right_wrong_tied_or_unscored(
    rewards: tuple[float | None, ...] | None, truth: Truth, found: Outcome | None
) -> None:
    assert outcome(rewards, truth) is found


@given(st.lists(POINTS, min_size=2, max_size=6), st.data())
def test_ties_change_the_credit_of_ties_alone(
    rewards: list[float | None], data: st.DataObject
) -> None:
    n = len(rewards)
    best = data.draw(st.sets(st.integers(0, n - 1), min_size=1, max_size=n - 1))
    truth = Best(tuple(sorted(best)))
    found = outcome(rewards, truth)
    strict, half, random = (credit(rewards, truth, ties) for ties in ("strict", "half", "random"))
    if found is Outcome.TIE:
        assert (strict, half) == (0.0, 0.5)
        assert 0 < random < 1
    else:
        assert strict == half == random == float(found is Outcome.RIGHT)


def test_a_tie_of_three_counts_a_third_when_it_is_broken_at_random() -> None:
    assert credit((1, 1, 1, 0), Best((0,)), "random") == pytest.approx(1 / 3)
    assert credit((1, 1, 1, 0), Best((0, 1)), "random") == pytest.approx(2 / 3)


def test_ratings_have_no_credit() -> None:
    with pytest.raises(TypeError, match="correlation"):
        credit((0.2, 0.9), Ratings((1, 2)), "strict")
