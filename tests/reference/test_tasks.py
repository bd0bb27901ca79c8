"""The checker is the ground truth: a golden pair for every kind; the generator keeps its word."""

import random
import re

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


# What int() raises on: signs of numbers that are none of its digits, blanks that it does not take
# off, and more digits than it reads.
blanks = st.text(" \t\n\x1c\x1f\x85\u2003")
numerals = st.text("0123456789²٣+-_") | st.integers(4000, 5000).map("7".__mul__)
endings = st.tuples(st.text(), st.just(";"), blanks, numerals, blanks).map("".join)


@given(st.text() | endings)
def test_the_checker_reads_any_text_without_raising(text):
    for requirement, _, _ in GOLDEN.values():
        assert fulfilled(requirement, text) in (True, False)


def test_the_same_seed_draws_the_same_task():
    assert draw_task(random.Random(5), "base") == draw_task(random.Random(5), "base")


@given(st.integers(), st.sampled_from(SPLITS))
def test_a_task_states_one_to_six_distinct_requirements_in_words_of_its_split(seed, split):
    task = draw_task(random.Random(seed), split)
    assert 1 <= len(set(task.requirements)) == len(task.requirements) <= MAX_REQUIREMENTS
    content = {word for one in task.requirements if one.kind != "tone" for word in one.words}
    assert all(_belongs(word, split) for word in content)
    assert all(word in task.query for word in content)


def test_the_splits_share_no_word():
    assert len({*words("base"), *words("spct"), *words("heldout")}) == len(compounds())
    assert sum(len(words(split)) for split in SPLITS) == len(compounds())


@pytest.mark.parametrize("split", ["spct", "heldout"])
def test_fifteen_to_twenty_five_percent_of_the_words_are_in_each_later_split(split):
    assert 0.15 <= len(words(split)) / len(compounds()) <= 0.25


@pytest.mark.parametrize("split", ["spct", "heldout"])
def test_every_piece_of_a_later_word_occurs_in_base_words(split):
    known = {piece for word in words("base") for piece in compounds()[word]}
    assert all(set(compounds()[word]) <= known for word in words(split))


@pytest.mark.parametrize("name", sections())
def test_the_splits_share_no_phrasing_and_each_has_enough(name):
    found = {split: phrasings(name, split) for split in SPLITS}
    together = [text for split in SPLITS for text in found[split]]
    assert len(set(together)) == len(together)
    assert len(found["base"]) >= 100
    assert len(found["spct"]) >= 10
    assert len(found["heldout"]) >= 12


@pytest.mark.parametrize("name", sections())
def test_every_word_of_a_later_phrasing_is_known_from_base(name):
    known = {word for one in sections() for text in phrasings(one, "base") for word in _words(text)}
    later = [text for split in ("spct", "heldout") for text in phrasings(name, split)]
    assert {word for text in later for word in _words(text)} <= known


@pytest.mark.parametrize("split", SPLITS)
def test_a_task_names_the_phrasings_that_it_is_made_of(split):
    task = draw_task(random.Random(3), split, requirements=5)
    opener, *clauses = (_pattern(name, split) for name in task.phrasings)
    assert task.query.startswith(opener)
    assert len(clauses) == 5
    assert all(re.search(re.sub(r"\{\w\}", r"\\w+", text), task.query) for text in clauses)


@given(st.integers())
def test_drawn_words_are_distinct_and_base_never_draws_a_word_of_another_split(seed):
    for split in SPLITS:
        drawn = draw_words(random.Random(seed), split, 12)
        assert len(set(drawn)) == 12
        assert all(_belongs(word, split) for word in drawn)


def test_base_also_draws_coined_words():
    drawn = draw_words(random.Random(1), "base", 100)
    assert 30 < len(set(drawn) - set(compounds())) < 70


def test_a_word_that_is_not_two_known_pieces_is_refused():
    with pytest.raises(ValueError, match="two known pieces, got 'zebra'"):
        pieces("zebra")


def _belongs(word, split):
    if split != "base":
        return word in words(split)
    reserved = {*words("spct"), *words("heldout")}
    return word not in reserved and set(pieces(word)) <= inventory()


def _pattern(name, split):
    section, _, place = name.partition("/")
    return phrasings(section, split)[int(place)]


def _words(text):
    return text.lower().replace(",", "").replace("+", "").split()
