"""Runs of words that data share with a benchmark."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.spct.overlap import Benchmark, runs, words
from grm_plugin.types import Group

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"


def found(prompt: str, response: str, n: int = 13) -> str | None:
    benchmark = Benchmark(n)
    benchmark.add("bench, group 1", Group.of(LONG, ["unseen"]))
    overlap = benchmark.overlap(Group.of(prompt, [response, "other"]))
    return overlap.where if overlap else None


def test_thirteen_words_in_a_row_are_an_overlap_and_twelve_are_none() -> None:
    thirteen = LONG.split()[:13]
    assert found("x", "Say: " + ", ".join(thirteen).upper() + "!") == "response 0"
    assert found(" ".join(thirteen), "x") == "prompt"
    assert found("x", " ".join(thirteen[:12])) is None


def test_a_short_text_is_an_overlap_only_as_a_whole() -> None:
    benchmark = Benchmark()
    benchmark.add("b", Group.of("What is the capital of France?", ["Paris"]))
    assert benchmark.overlap(Group.of("what is the capital of france", ["x"]))
    assert not benchmark.overlap(Group.of("What is the capital of France, my friend?", ["x"]))
    assert not benchmark.overlap(Group.of("x", ["Paris"]))  # a word is no evidence


def test_what_a_system_turn_says_does_not_count() -> None:
    turns = [{"role": "system", "content": LONG}, {"role": "user", "content": "hi"}]
    benchmark = Benchmark()
    benchmark.add("b", Group.of(LONG, ["x"]))
    assert benchmark.overlap(Group.of(turns, ["x"])) is None


def test_characters_of_scripts_without_spaces_count_as_words() -> None:
    question = "公元一九四九年之后中国的首都是哪一个城市"
    benchmark = Benchmark()
    benchmark.add("b", Group.of(question, ["北京"]))
    assert benchmark.overlap(Group.of(f"请问{question}？", ["x"]))
    assert not benchmark.overlap(Group.of("中国的首都有多少人", ["北京"]))
    assert len(words("สวัสดี, ひらがな ok")) == 6 + 4 + 1


def test_a_text_that_is_shorter_than_a_run_is_found_within_a_longer_one() -> None:
    benchmark = Benchmark()
    benchmark.add("b", Group.of("What is the sum of 17, 38 and 45?", ["100"]))
    longer = "Answer me now: what is the sum of 17, 38 and 45? Only the number, please."
    overlap = benchmark.overlap(Group.of(longer, ["x"]))
    assert overlap and overlap.run == "what is the sum of 17 38 and 45"
    assert not benchmark.overlap(Group.of("Now: what is the sum of 17, 38 and 46?", ["x"]))


def test_groups_of_hardly_any_words_are_counted_as_they_can_not_be_found() -> None:
    benchmark = Benchmark()
    benchmark.add("b", Group.of("17 * 3?", ["51"]))
    benchmark.add("b", Group.of("17 * 3?", ["It is 51, I think."]))
    assert benchmark.unseen == 1


@given(st.lists(st.sampled_from("abcdefgh"), max_size=30), st.integers(4, 8))
def test_texts_of_enough_words_have_all_their_runs(letters: list[str], n: int) -> None:
    assert words(" ".join(letters)) == letters
    expected = max(0, len(letters) - n + 1) + (4 <= len(letters) < n)
    assert len(list(runs(" ".join(letters), n))) == expected
