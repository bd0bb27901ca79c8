"""Responder, teacher and groups: pure functions of a seed that agree with the checker."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.reference.making.evaluation import read_checks, read_scores
from grm_plugin.reference.prompt import render_prompt
from grm_plugin.reference.tasks.data import (
    MAX_RESPONSES,
    best_of_groups,
    draw_check,
    draw_example,
    draw_group,
    draw_listing,
)
from grm_plugin.reference.tasks.judgment import Criterion, listing_text
from grm_plugin.reference.tasks.responder import draw_response
from grm_plugin.reference.tasks.task import Requirement, Task, draw_task, fulfilled, true_quality
from grm_plugin.reference.tasks.teacher import MAX_CRITERIA, draw_criteria, write_judgment
from grm_plugin.reference.tasks.wordlist import WordList
from grm_plugin.reference.tasks.words import SPLITS, words

seeds = st.integers(0, 2**32)


def test_the_judgment_is_the_published_contract_with_quoted_evidence():
    criteria = (
        Criterion(Requirement("count", numbers=(2,)), 5),
        Criterion(Requirement("exclude", words=("seaweed",)), 3),
        Criterion(Requirement("sum", numbers=(3, 4)), 2),
    )
    assert write_judgment(criteria, ["sunset, teapot; 7", "seaweed, teapot; 8"]) == (
        "Specific Criteria:\n"
        "1. exactly 2 items (weight 5)\n"
        "2. exclude seaweed (weight 3)\n"
        "3. end with 3 + 4 (weight 2)\n"
        "Analysis:\n"
        "Response 1 of 2: sunset1, teapot2; 7. "
        "counts 2, ok; seaweed absent, ok; sum 7, ends 7, ok. Score 10.\n"
        "Response 2 of 2: seaweed1, teapot2; 8. "
        "counts 2, ok; seaweed found, bad; sum 7, ends 8, bad. Score 5.\n"
        "Scores: \\boxed{10, 5}"
    )


@pytest.mark.parametrize(
    ("requirement", "evidence"),
    [
        (Requirement("limit", numbers=(2,)), "counts 3, bad"),
        (Requirement("include", words=("moonlight",)), "moonlight absent, bad"),
        (Requirement("first", words=("teapot",)), "starts sunset, bad"),
        (Requirement("order", words=("teapot", "sunset")), "sunset leads, bad"),
        (Requirement("order", words=("moonlight", "sunset")), "moonlight absent, bad"),
        (Requirement("unique"), "repeats sunset, bad"),
        (Requirement("sum", numbers=(3, 4)), "sum 7, ends none, bad"),
        (Requirement("tone", words=("polite",)), "opens ugh, bad"),
    ],
)
def test_a_critique_quotes_what_it_saw(requirement, evidence):
    text = write_judgment((Criterion(requirement, 10),), ["ugh: sunset, teapot, sunset"])
    quote = "ugh: sunset1, teapot2, sunset3"
    assert f"Response 1 of 1: {quote}. {evidence}. Score 1." in text


@pytest.mark.parametrize("nothing", ["", "  ", ",", ":"])
def test_a_response_with_nothing_to_quote_is_quoted_as_none(nothing):
    text = write_judgment((Criterion(Requirement("unique"), 10),), [nothing])
    assert "Response 1 of 1: none. repeats none, ok. Score 10." in text


@given(seeds)
def test_criteria_are_distinct_requirements_with_weights_that_sum_to_ten(seed):
    rng = random.Random(seed)
    task = draw_task(rng, "base")
    criteria = draw_criteria(rng, task)
    assert sum(one.weight for one in criteria) == 10
    assert min(one.weight for one in criteria) >= 1
    assert len({one.requirement for one in criteria}) == len(criteria) <= MAX_CRITERIA


@given(seeds, st.integers(1, MAX_RESPONSES))
def test_the_teachers_scores_equal_the_checkers_recomputation(seed, responses):
    rng = random.Random(seed)
    group = draw_group(rng, "heldout", responses=responses)
    criteria = draw_criteria(rng, group.task)
    text = write_judgment(criteria, group.responses)
    expected = tuple(
        max(1, sum(one.weight for one in criteria if fulfilled(one.requirement, answer)))
        for answer in group.responses
    )
    assert read_scores(text, responses) == expected
    checks = read_checks(text, group.task, group.responses)
    assert len(checks) == responses * len(criteria)
    assert all(check.agrees for check in checks)


def test_the_responder_reaches_every_quality_level():
    rng = random.Random(1)
    group = [draw_group(rng, "base", responses=8, requirements=4) for _ in range(60)]
    assert {quality for one in group for quality in one.qualities} == {0, 0.25, 0.5, 0.75, 1}


def test_more_skill_means_better_responses():
    def quality(skill):
        rng = random.Random(2)
        tasks = [draw_task(rng, "base") for _ in range(200)]
        return sum(true_quality(t, draw_response(rng, t, "base", skill=skill)) for t in tasks)

    assert quality(0.1) < quality(0.5) < quality(0.9)


@given(seeds, st.sampled_from(SPLITS))
def test_a_response_is_a_word_list_in_words_of_its_split(seed, split):
    rng = random.Random(seed)
    text = draw_response(rng, draw_task(rng, split), split, skill=0.5)
    parsed = WordList.parse(text)
    assert parsed.text == text
    others = {word for other in SPLITS if other != split for word in words(other)}
    assert others.isdisjoint(parsed.items)


def test_a_listing_names_every_requirement_in_the_order_of_the_query():
    demands = (Requirement("unique"), Requirement("include", words=("teapot",)))
    assert (
        listing_text(Task("", demands))
        == "Specific Criteria:\n1. no item twice\n2. include teapot\n"
    )


def test_exercises_list_and_check_all_requirements_of_one_query():
    listing = draw_listing(random.Random(9), "base")
    check = draw_check(random.Random(9), "base", responses=2)
    named = [line for line in listing.judgment.splitlines() if line[0].isdigit()]
    checked = [line for line in check.judgment.splitlines() if line[0].isdigit()]
    assert [line.partition(" (weight")[0] for line in checked] == named
    assert "[Response" not in listing.prompt


def test_the_same_seed_makes_the_same_data():
    make = lambda: draw_example(random.Random("a"), "base", responses=3)  # noqa: E731
    assert make() == make()
    assert best_of_groups(1, "heldout", responses=4, number=5) == best_of_groups(
        1, "heldout", responses=4, number=5
    )


def test_an_evaluation_group_has_one_best_response():
    for group in best_of_groups(3, "heldout", responses=4, number=40):
        top = max(group.qualities)
        assert group.qualities.count(top) == 1
        assert group.qualities[group.best] == top


def test_the_prompt_shows_query_and_responses_in_order():
    assert render_prompt("Name some words", ["sunset", "teapot"]) == (
        "[Query]\nName some words\n[Response 1]\nsunset\n[Response 2]\nteapot\n[Judgment]\n"
    )
