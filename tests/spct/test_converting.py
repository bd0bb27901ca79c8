"""Other preference data as RM data."""

from __future__ import annotations

from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.hosts.cells import Cells
from grm_plugin.spct.converting import (
    Dropped,
    converted,
    from_pair,
    from_ratings,
    from_strengths,
    from_verified,
)
from grm_plugin.spct.examples import Datum

NESTED = {
    "instruction": "Name a tree.",
    "completions": [
        {"response": "moss", "overall_score": 2.0, "model": "a"},
        {"response": "oak", "overall_score": "8.5", "model": "b"},
        {"response": "stone", "overall_score": "N/A", "model": "c"},
    ],
}


def data(found: Any) -> list[tuple[tuple[str, ...], int]]:
    return [(one.group.responses, one.label) for one in found if isinstance(one, Datum)]


def dropped(found: Any) -> list[str]:
    return [one.why for one in found if isinstance(one, Dropped)]


def test_nested_ratings_become_a_group_without_the_unrated() -> None:
    (datum,) = converted(NESTED, from_ratings)
    assert isinstance(datum, Datum)
    assert (datum.group.responses, datum.label) == (("moss", "oak"), 1)
    assert datum.group.metadata["ratings"] == [2.0, 8.5]


def test_a_rating_can_be_chosen_by_its_name() -> None:
    row = {
        "prompt": "x",
        "completions": [{"text": "a", "score": 1, "help": 5}, {"text": "b", "score": 2, "help": 4}],
    }
    assert data(converted(row, lambda keys: from_ratings(keys, "help"))) == [(("a", "b"), 0)]
    with pytest.raises(InputError, match="expected a rating \\(other\\)"):
        list(converted(row, lambda keys: from_ratings(keys, "other")))


@pytest.mark.parametrize(
    ("converter", "row", "why"),
    [
        (from_pair, {"prompt": "x", "chosen": "a", "rejected": "a"}, "the same"),
        (from_ratings, {"prompt": "x", "responses": ["a", "b"], "ratings": [3, 3]}, "twice"),
        (from_ratings, {"prompt": "x", "responses": ["a", "b"], "ratings": [3, None]}, "fewer"),
        (from_ratings, {"prompt": "x", "responses": ["a", "a"], "ratings": [3, 2]}, "there twice"),
        (
            from_strengths,
            {"prompt": "x", "response_1": "a", "response_2": "b", "preference_strength": 0},
            "strength 0",
        ),
    ],
)
def test_a_row_that_names_no_best_response_is_dropped(converter: Any, row: Any, why: str) -> None:
    (told,) = dropped(converted(row, converter))
    assert why in told


@pytest.mark.parametrize(("strength", "best"), [(-3, 0), (-1, 0), (1, 1), (3, 1)])
def test_the_sign_of_a_strength_says_which_is_better(strength: int, best: int) -> None:
    older = {"prompt": "x", "response_1": "a", "response_2": "b", "preference_strength": strength}
    newer = {
        "context": [{"role": "user", "content": "x"}],
        "response1": "a",
        "response2": "b",
        "overall_preference": strength,
    }
    for row in (older, newer):
        assert data(converted(row, from_strengths)) == [(("a", "b"), best)]


def test_answers_that_were_verified_become_singles_or_groups() -> None:
    row = {
        "problem": "2 + 2?",
        "id": "s",
        "solutions": [{"solution": "4", "correct": True}, {"solution": "5", "correct": False}],
    }
    singles = list(converted(row, from_verified))
    assert data(singles) == [(("4",), 1), (("5",), 0)]
    assert [one.group.id for one in singles if isinstance(one, Datum)] == ["s/0", "s/1"]
    assert data(converted(row, lambda keys: from_verified(keys, together=True))) == [
        (("4", "5"), 0)
    ]
    one = {"question": "2 + 2?", "answer": "4", "is_correct": "true"}
    assert data(converted(one, from_verified)) == [(("4",), 1)]


@pytest.mark.parametrize(
    ("correct", "why"),
    [([True, True], "several answers are right"), ([False, False], "no answer is right")],
)
def test_verified_answers_make_a_group_only_where_one_is_right(correct: Any, why: str) -> None:
    row = {"prompt": "x", "responses": ["a", "b"], "correct": correct}
    assert dropped(converted(row, lambda keys: from_verified(keys, together=True))) == [why]


@pytest.mark.parametrize(
    ("converter", "row", "telling"),
    [
        (
            from_ratings,
            {"prompt": "x", "responses": ["a"], "ratings": [1, 2]},
            "ratings: expected one",
        ),
        (from_ratings, {"prompt": "x"}, "expected a key 'completions'"),
        (
            from_ratings,
            {"prompt": "x", "responses": ["a", "b"], "ratings": ["bad", 1]},
            "ratings.0",
        ),
        (
            from_strengths,
            {"prompt": "x", "response_1": "a", "preference_strength": 1},
            "response_2",
        ),
        (
            from_strengths,
            {"prompt": "x", "response_1": "a", "response_2": "b", "preference_strength": 5},
            "a number from -3 to 3",
        ),
        (from_verified, {"prompt": "x", "response": "a", "correct": "maybe"}, "true or false"),
        (from_pair, {"prompt": "x", "chosen": "a"}, "rejected"),
    ],
)
def test_a_row_of_another_form_is_an_error(converter: Any, row: Any, telling: str) -> None:
    with pytest.raises(InputError) as refused:
        list(converted(row, converter))
    assert telling in str(refused.value)


def test_a_pair_may_begin_with_its_prompt_and_a_table_holds_lists_as_json() -> None:
    asked = {"role": "user", "content": "q"}
    chosen, rejected = ([asked, {"role": "assistant", "content": text}] for text in "ab")
    (datum,) = converted({"chosen": chosen, "rejected": rejected, "id": 7}, from_pair)
    assert isinstance(datum, Datum)
    assert (datum.group.responses, datum.label, datum.group.id) == (("a", "b"), 0, "7")
    cells = Cells(prompt="q", responses='["a", "b"]', ratings="[1, 2]", subset="")
    assert data(converted(cells, from_ratings)) == [(("a", "b"), 1)]
    cells = Cells(prompt="q", response="a", correct="True")
    assert data(converted(cells, from_verified)) == [(("a",), 1)]
