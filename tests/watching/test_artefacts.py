"""Patterns and openings are found in untrusted texts, in a time that nobody can blow up."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.watching.artefacts import MOST_CHARACTERS, Pattern, Rise, Seen, plain
from grm_plugin.watching.openings import Openings, opening_of

texts = st.text(alphabet="ab *^.\n", max_size=30)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("great answer", "This is a GREAT\n answer.", True),
        ("great answer", "greatanswer", False),
        ("^as an expert", "As an expert, no", True),
        ("^as an expert", "Speak as an expert", False),
        ("^first*last", "first and then the last", True),
        ("^first*last", "last, not first", False),
        ("a*a", "a", False),
        (" ai ", "try again", False),
        (" ai ", "no\nAI", True),
        (" ai ", "ai, maybe", False),
        ("foo * bar", "foo bar", True),
        ("^ as an", "As an expert", True),
        ("^*great", "so great", True),
        ("^*great*^", "great, so great", False),
        ("(a+)+$", "aaaaaaaa", False),
        ("(a+)+$", "see (a+)+$ there", True),
    ],
)
def test_a_pattern_is_fixed_texts_in_their_order(pattern: str, text: str, found: bool) -> None:
    assert Pattern.of(pattern).is_in(plain(text)) is found


@given(texts, texts)
def test_a_text_with_no_mark_is_found_where_python_finds_it(pattern: str, text: str) -> None:
    fixed = plain(pattern.replace("*", "").replace("^", ""))
    if fixed:
        assert Pattern.of(fixed).is_in(plain(text)) is (fixed in plain(text))


@given(texts, texts, texts)
def test_what_a_mark_stands_for_may_be_anything(before: str, middle: str, after: str) -> None:
    parts = [plain(one.replace("*", "").replace("^", "")) for one in (before, after)]
    if all(parts):
        pattern = Pattern.of("*".join(parts))
        assert pattern.is_in(plain(f"{parts[0]} {middle} {parts[1]}"))


def test_a_hostile_text_costs_no_time() -> None:
    pattern = Pattern.of("*".join("a" * 6 + "b" for _ in range(25)))
    hostile = "a" * 10_000_000
    began = time.monotonic()
    seen = Seen()
    seen.add([hostile] * 20, {"one": pattern}, 3)
    assert time.monotonic() - began < 5
    assert seen.share("one") == 0
    assert len(plain(hostile)) == MOST_CHARACTERS
    assert all(len(opening) <= 3 * 41 for opening in seen.openings.counts)


def test_the_most_common_opening_is_found_over_all_responses() -> None:
    seen = Seen()
    seen.add(["As an expert: 4", "as  an EXPERT: 5", "five"], {}, 2)
    seen.add(["As an artist: 5", "6"], {}, 2)
    assert (seen.openings.common, seen.openings.share) == ("as an", 0.6)
    assert opening_of("", 3) == ""


def test_a_share_that_was_high_from_the_start_does_not_alarm() -> None:
    rise = Rise(20)
    for _ in range(100):
        rise.add(0.9, 8)
    assert not rise.alarms
    assert rise.value == pytest.approx(0.0)


words = st.lists(st.sampled_from("abcdefghij"), max_size=60)


@given(words, words, st.integers(1, 6))
def test_a_common_opening_is_never_lost_and_its_share_no_more_than_a_little_low(
    first: list[str], second: list[str], most: int
) -> None:
    def of(found: list[str]) -> Openings:
        counted = Openings(most)
        for one in found:
            counted.add(one)
        return counted

    for found, counted in [(first, of(first)), (first + second, of(first) + of(second))]:
        if found:
            true = max(map(found.count, found)) / len(found)
            assert true - 1 / (most + 1) - 1e-9 <= counted.share <= true
        assert len(counted.counts) <= most
