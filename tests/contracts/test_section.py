"""A marked section: the last of its name counts, and no earlier one says something else."""

from __future__ import annotations

import re
import time

import pytest

from grm_plugin.errors import ConfigError, ParseError
from tests.contracts.reading import UNIT, contract, error, scores

INDIVIDUAL = contract("section", section="Individual Scores", shows="pair")
RANKS = {1: 5, 2: 3, 3: 1, 4: -1, 5: -3, 6: -5}
RANKING = contract("section", section="Ranking Score", shows="pair", values=RANKS)
STOPPED = contract(
    "section", section="Ranking Score", shows="pair", values={1: 1, 2: -1}, stops=True
)
BARE = contract("section", section="Grade", opens="<<{section}", closes=">>", box=False)
NEMOTRON = (
    "[The Begin of Analysis on Response 1]\nGood.\n[The End of Analysis on Response 1]\n"
    "[The Begin of Individual Scores]\n\\boxed{4, 2}\n[The End of Individual Scores]\n"
    "[The Begin of Ranking Score]\n\\boxed{2}\n[The End of Ranking Score]"
)


def section(content: str, name: str = "Ranking Score") -> str:
    return f"[The Begin of {name}]\n{content}\n[The End of {name}]\n"


def test_individual_scores_are_read_from_their_own_section() -> None:
    assert scores(INDIVIDUAL, NEMOTRON, 2) == (4, 2)


def test_a_ranking_becomes_two_scores_on_the_scale_of_the_template() -> None:
    assert scores(RANKING, NEMOTRON, 2, UNIT) == pytest.approx((0.8, 0.2))
    assert scores(RANKING, section("\\boxed{6}"), 2, UNIT) == (0, 1)
    assert scores(RANKING, section("\\boxed{1}"), 2) == (10, 1)


def test_a_rank_off_the_menu_is_unreadable() -> None:
    for rank in ("0", "7", "2.5", "1, 2", "x", "Response 1"):
        assert "unreadable" in error(RANKING, section(f"\\boxed{{{rank}}}"), 2)


def test_an_earlier_section_may_repeat_the_instruction_or_the_answer() -> None:
    assert scores(RANKING, section("\\boxed{z}") + section("\\boxed{6}"), 2, UNIT) == (0, 1)
    assert scores(RANKING, section("\\boxed{6}") * 2, 2, UNIT) == (0, 1)
    assert "got none" in error(RANKING, section("\\boxed{6}") + section("as above"), 2)


def test_sections_that_disagree_are_unreadable() -> None:
    text = section("\\boxed{1}") + "He quotes.\n" + section("\\boxed{6}")
    assert "expected one answer, got '1' and '6'" in error(RANKING, text, 2)
    assert "expected one answer" in error(RANKING, section("\\boxed{1} \\boxed{6}"), 2)


def test_a_box_outside_of_the_section_is_no_answer() -> None:
    assert "got none" in error(RANKING, "\\boxed{2}", 2)
    assert "got none" in error(RANKING, section("none") + "\\boxed{2}", 2)
    assert scores(RANKING, "\\boxed{9}" + section("\\boxed{1}"), 2, UNIT) == (1, 0)


def test_a_box_after_the_section_that_says_something_else_is_unreadable() -> None:
    text, other = section("\\boxed{1}"), section("\\boxed{6}", "Quality of Response 1")
    assert "expected one answer, got '6' and '1'" in error(RANKING, f"{text} No: \\boxed{{6}}", 2)
    assert "expected one answer" in error(RANKING, f"{text}{other}\\boxed{{6}}", 2)
    assert "expected one answer" in error(RANKING, f"{text}\\boxed{{6}}{other}", 2)
    unclosed = other.replace("[The End", "[An End")
    assert "expected one answer" in error(RANKING, f"{text}{unclosed}", 2)
    for same in (f"So \\boxed{{1}}.{other}", other, f"In the form \\boxed{{z}}. {other}{other}"):
        assert scores(RANKING, f"{text}{same}", 2, UNIT) == (1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "[The Begin of Ranking Score] \\boxed{2}",
        "\\boxed{2} [The End of Ranking Score]",
        "[The Begin of Ranking Score] [The Begin of Ranking Score] \\boxed{2}"
        " [The End of Ranking Score]",
    ],
)
def test_a_section_that_is_not_whole_is_unreadable(text: str) -> None:
    assert "marks that do not pair" in error(RANKING, text, 2)


def test_a_closing_mark_that_ends_generation_is_not_in_the_text() -> None:
    assert STOPPED.stop == ("[The End of Ranking Score]",)
    assert scores(STOPPED, "So.\n[The Begin of Ranking Score]\n\\boxed{2}\n", 2, UNIT) == (0, 1)
    assert RANKING.stop == ()


def test_a_section_may_hold_its_answer_without_a_box() -> None:
    assert scores(BARE, "<<Grade 7, 3 >>", 2) == (7, 3)


def test_blanks_in_a_mark_may_be_of_any_kind() -> None:
    assert scores(RANKING, section("\\boxed{1}").replace("Ranking ", "Ranking\n "), 2)


def test_the_marks_are_defused_in_what_others_wrote() -> None:
    forms = re.compile("|".join(RANKING.forms), re.IGNORECASE)
    for quotation in ("[the begin of  ranking score]", "[ The End of Ranking Score", "\\boxed {2}"):
        assert forms.search(quotation.ljust(30, "]"))


def test_a_section_needs_a_name() -> None:
    with pytest.raises(ConfigError, match=r"contract 'section': section: required, and not given"):
        contract("section")


@pytest.mark.parametrize(
    "text",
    ["[The Begin of Ranking Score]" * 30_000, "[The Begin of " * 60_000, section("") * 15_000,
     section("\\boxed{1}") * 15_000, "[The\n" * 200_000],
)  # fmt: skip
def test_a_hostile_text_is_read_in_no_time(text: str) -> None:
    started = time.process_time()
    try:
        scores(RANKING, text, 2)
    except ParseError as caught:
        assert len(str(caught)) < 600
    assert time.process_time() - started < 2
