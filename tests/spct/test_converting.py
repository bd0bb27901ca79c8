"""Other preference data as RM data."""

from __future__ import annotations

from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.hosts.cells import Cells
from grm_plugin.hosts.rows import group_of
from grm_plugin.spct.converting import (
    Dropped,
    converted,
    from_pair,
    from_ratings,
    from_strengths,
    from_verified,
)
from grm_plugin.spct.examples import Datum, row_of

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
        (
            from_ratings,
            {"prompt": "x", "responses": ["a", "b"], "ratings": ["inf", 1]},
            "ratings.0: expected a number",
        ),
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


def test_messages_in_a_table_of_pairs_are_messages_and_not_their_json() -> None:
    cells = Cells(
        prompt='[{"role": "user", "content": "2 + 2?"}]',
        chosen='[{"role": "assistant", "content": "4"}]',
        rejected='[{"role": "assistant", "content": "5"}]',
        author="",
    )
    (datum,) = converted(cells, from_pair)
    assert isinstance(datum, Datum)
    assert datum.group.conversation[0].content == "2 + 2?"
    assert datum.group.responses == ("4", "5")
    (datum,) = converted(Cells(prompt="x", chosen="a", rejected=""), from_pair)
    assert isinstance(datum, Datum) and datum.group.responses == ("a", "")
    context = '[{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]'
    both = {"response1": '[{"role": "assistant", "content": "a"}]', "response2": "[1, 2]"}
    (datum,) = converted(Cells(context=context, **both, overall_preference="-1"), from_strengths)
    assert isinstance(datum, Datum)
    assert len(datum.group.conversation) == 2
    assert datum.group.responses == ("a", "[1, 2]")


@pytest.mark.parametrize(
    ("converter", "row"),
    [
        (from_pair, {"prompt": "x", "chosen": "a", "rejected": "b", "messages": ["z"]}),
        (from_ratings, {"prompt": "x", "responses": ["a", "b"], "ratings": [2, 1]}),
        (
            from_strengths,
            {"prompt": "x", "response_1": "a", "response_2": "b", "preference_strength": -2},
        ),
        (from_verified, {"prompt": "x", "response": "a", "correct": 1}),
    ],
)
def test_columns_that_say_nothing_of_the_best_are_carried_along(converter: Any, row: Any) -> None:
    more = {"author": "me", "language": "de", "metadata": {"phrasing": 3, "best": 1}, "gone": None}
    own = {"id": "7", "principles": ["be brief"], "reference": "r", "subset": "s"}
    (datum,) = converted({**row, **more, **own}, converter)
    assert isinstance(datum, Datum)
    group = datum.group
    assert (group.id, group.principles, group.reference) == ("7", ("be brief",), "r")
    known = {"author": "me", "language": "de", "phrasing": 3, "subset": "s"}
    assert known.items() <= group.metadata.items()
    assert set(group.metadata) - set(known) <= {"best", "correct", "ratings", "strength"}
    assert group_of(row_of(datum)).metadata == group.metadata


def test_evidence_is_carried_where_there_is_some_for_every_response() -> None:
    keys = {"prompt": "x", "responses": ["a", "b", "c"], "evidence": ["1", "2", "3"]}
    (whole,) = converted({**keys, "ratings": [1, 2, 3]}, from_ratings)
    (part,) = converted({**keys, "ratings": [1, 2, None]}, from_ratings)
    assert isinstance(whole, Datum) and isinstance(part, Datum)
    assert (whole.group.evidence, part.group.evidence) == (("1", "2", "3"), ())
