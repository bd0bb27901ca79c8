"""The checker is the ground truth: a golden pair for every kind; the generator keeps its word."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.reference.tasks.phrasings import phrasings, sections
from grm_plugin.reference.tasks.task import (
    KINDS,
    MAX_REQUIREMENTS,
    Requirement,
    Task,
    draw_task,
    fulfilled,
    true_quality,
)
from grm_plugin.reference.tasks.words import SPLITS, compounds, draw_words, inventory, pieces, words

GOLDEN = {
    "count": (Requirement("count", numbers=(3,)), "sunset, seaweed, teapot", "sunset, seaweed"),
    "limit": (Requirement("limit", numbers=(2,)), "sunset", "sunset, seaweed, teapot"),
    "include": (Requirement("include", words=("teapot",)), "sunset, teapot", "sunset, teacup"),
    "exclude": (Requirement("exclude", words=("teapot",)), "sunset, teacup", "sunset, teapot"),
    "first": (Requirement("first", words=("teapot",)), "list: teapot, sunset", "sunset, teapot"),
    "order": (Requirement("order", words=("teapot", "sunset")), "teapot, sunset", "sunset, teapot"),
    "unique": (Requirement("unique"), "sunset, teapot", "sunset, teapot, sunset"),
    "sum": (Requirement("sum", numbers=(3, 4)), "sunset; 7", "sunset; 8"),
    "tone": (Requirement("tone", words=("polite",)), "gladly: sunset", "whatever: sunset"),
}


def test_every_kind_has_a_golden_pair():
    assert tuple(GOLDEN) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_checker_tells_a_met_requirement_from_a_missed_one(kind):
    requirement, good, bad = GOLDEN[kind]
    assert fulfilled(requirement, good)
    assert not fulfilled(requirement, bad)


def test_the_checker_finds_a_forbidden_word():
    assert not fulfilled(Requirement("exclude", words=("seaweed",)), "gladly: sunrise, seaweed; 7")


def test_an_order_with_a_missing_word_is_missed():
    assert not fulfilled(Requirement("order", words=("teapot", "sunset")), "sunset, seaweed")


def test_a_missing_sum_is_missed():
    assert not fulfilled(Requirement("sum", numbers=(3, 4)), "sunset, seaweed")


def test_true_quality_is_the_fraction_of_requirements_met():
    demands = (
        Requirement("unique"),
        Requirement("count", numbers=(2,)),
        Requirement("sum", numbers=(1, 1)),
    )
    assert true_quality(Task("", demands), "sunset, seaweed") == pytest.approx(2 / 3)


@given(st.text())
def test_the_checker_reads_any_text_without_raising(text):
    for requirement, _, _ in GOLDEN.values():
        assert fulfilled(requirement, text) in (True, False)


def test_the_same_seed_draws_the_same_task():
    assert draw_task(random.Random(5), "base") == draw_task(random.Random(5), "base")


@given(st.integers(), st.sampled_from(["base", "heldout"]))
def test_a_task_states_one_to_six_distinct_requirements_in_words_of_its_split(seed, split):
    task = draw_task(random.Random(seed), split)
    assert 1 <= len(set(task.requirements)) == len(task.requirements) <= MAX_REQUIREMENTS
    content = {word for one in task.requirements if one.kind != "tone" for word in one.words}
    assert all(_belongs(word, split) for word in content)
    assert all(word in task.query for word in content)


def test_the_splits_share_no_word():
    assert not set(words("base")) & set(words("heldout"))


def test_fifteen_to_twenty_percent_of_the_words_are_held_out():
    assert 0.15 <= len(words("heldout")) / len(compounds()) <= 0.20


def test_every_piece_of_a_held_out_word_occurs_in_training_words():
    trained = {piece for word in words("base") for piece in compounds()[word]}
    assert all(set(compounds()[word]) <= trained for word in words("heldout"))


@pytest.mark.parametrize("name", sections())
def test_held_out_phrasings_are_new_arrangements_of_trained_words(name):
    trained = {
        word for one in sections() for text in phrasings(one, "base") for word in _words(text)
    }
    heldout = phrasings(name, "heldout")
    assert heldout
    assert not set(heldout) & set(phrasings(name, "base"))
    assert {word for text in heldout for word in _words(text)} <= trained


@given(st.integers())
def test_drawn_words_are_distinct_and_training_never_draws_a_held_out_word(seed):
    for split in SPLITS:
        drawn = draw_words(random.Random(seed), split, 12)
        assert len(set(drawn)) == 12
        assert all(_belongs(word, split) for word in drawn)


def test_training_also_draws_coined_words():
    drawn = draw_words(random.Random(1), "base", 100)
    assert 30 < len(set(drawn) - set(compounds())) < 70


def test_a_word_that_is_not_two_known_pieces_is_refused():
    with pytest.raises(ValueError, match="two known pieces, got 'zebra'"):
        pieces("zebra")


def _belongs(word, split):
    if split == "heldout":
        return word in words("heldout")
    return word not in words("heldout") and set(pieces(word)) <= inventory()


def _words(text):
    return text.lower().replace(",", "").replace("+", "").split()
