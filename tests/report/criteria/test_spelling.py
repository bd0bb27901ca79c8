"""Spellings of one criterion are one, what asks for something else is not."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.report.criteria import vocabulary as vocabularies
from grm_plugin.report.criteria.spelling import masked, stem, stems, title, words
from grm_plugin.report.criteria.vocabulary import Vocabulary, stems_of

NOTHING = stems_of("")


def number(vocabulary: Vocabulary, principle: str, prompt: str = "") -> int:
    found = vocabulary.find(principle, stems_of(prompt))
    assert found is not None
    return found.number


@pytest.mark.parametrize(
    ("principle", "name"),
    [
        ("**Accuracy**: every fact must hold", "Accuracy"),
        ("Accuracy (are the facts right?)", "Accuracy"),
        ("Clarity - easy to follow", "Clarity"),
        ("准确性：事实必须正确", "准确性"),
        ("no item twice", "no item twice"),
        ("Ａccuracy", "Accuracy"),
        ("Says what it does. And why.", "Says what it does"),
        (
            "one two three four five six seven eight nine ten eleven",
            "one two three four five six seven eight nine ten…",
        ),
    ],
)
def test_a_title_is_what_stands_before_the_explanation(principle: str, name: str) -> None:
    assert title(principle) == name


@pytest.mark.parametrize(
    "same",
    [
        ("Accuracy", "Factual accuracy", "accurate", "**Accuracy:** of all facts"),
        ("Completeness", "The answer should be complete"),
        ("Relevance", "Relevant to the question"),
        ("Clarity of writing", "Writing clarity"),
        ("Conciseness", "concise"),
        ("Following the format", "format is followed"),
        ("准确性：事实", "事实准确性"),
    ],
)
def test_spellings_of_one_criterion_are_one(same: tuple[str, ...]) -> None:
    vocabulary = Vocabulary()
    assert {number(vocabulary, one) for one in same} == {0}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Completeness", "Complexity"),
        ("Accuracy", "Clarity"),
        ("include the unit", "do not include the unit"),
        ("mention sources", "avoid to mention sources"),
        ("exactly 5 items", "at most 5 items"),
        ("Code quality", "Code safety"),
        ("准确性", "完整性"),
    ],
)
def test_what_asks_for_something_else_is_another(one: str, other: str) -> None:
    vocabulary = Vocabulary()
    assert number(vocabulary, one) != number(vocabulary, other)


def test_words_that_only_the_prompt_brings_in_are_left_out() -> None:
    vocabulary = Vocabulary()
    tasks = ["sunrise", "airport", "pinwheel", "roadhouse", "outline", "download"]
    for word in tasks:
        prompt = stems_of(f"name some words, {word} among them")
        vocabulary.learn([f"include {word}", "no item twice"], prompt)
    found = {number(vocabulary, f"include {word}", f"words, {word}") for word in tasks}
    assert len(found) == 1
    assert vocabulary.criteria[0].name == "include …"


def test_a_word_that_many_go_by_is_no_word_of_a_task() -> None:
    vocabulary = Vocabulary()
    prompt = stems_of("write safe code")
    for _ in range(10):
        vocabulary.learn(["Safety", "Code quality"], prompt)
    assert number(vocabulary, "Safety", "write safe code") != number(
        vocabulary, "Code quality", "write safe code"
    )
    assert [one.name for one in vocabulary.criteria.values()] == ["Safety", "Code quality"]


def test_numbers_and_words_of_tasks_are_masked() -> None:
    assert masked("exactly 5 items", frozenset()) == "exactly … items"
    assert masked("end with 3 + 4.5", frozenset()) == "end with …"
    assert masked("put sunset before sunrise", frozenset([stem("sunset"), stem("sunrise")])) == (
        "put … before …"
    )


def test_too_many_criteria_are_counted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabularies, "MOST", 2)
    known = Vocabulary()
    assert [known.find(one, NOTHING) is None for one in ("Tone", "Unit", "Fact", "Tone")] == [
        False,
        False,
        True,
        False,
    ]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=12))
def test_whatever_judges_write_has_a_criterion_and_the_same_one_each_time(texts: list[str]) -> None:
    vocabulary = Vocabulary()
    vocabulary.learn(texts, NOTHING)
    first = [number(vocabulary, one) for one in texts]
    assert [number(vocabulary, one) for one in texts] == first
    assert all(one.name is not None for one in vocabulary.criteria.values())


@given(st.permutations(["Accuracy", "Factual accuracy", "Clarity", "Tone", "clear tone"]))
def test_merging_never_joins_criteria_without_a_word_in_common(texts: list[str]) -> None:
    vocabulary = Vocabulary()
    found = {one: number(vocabulary, one) for one in texts}
    for one, other in itertools.combinations(found, 2):
        if found[one] == found[other]:
            assert stems(one) & stems(other)


def test_words_of_chinese_are_pairs_of_characters() -> None:
    assert [one.stem for one in words("准确性 and clarity")] == ["准确", "确性", "clar"]
