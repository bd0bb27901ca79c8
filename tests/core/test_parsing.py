"""From a judge's text to scores: the last box outside thinking, exactly N numbers in range."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.contracts.boxed import answer, parse_principles, parse_scores
from grm_plugin.errors import ParseError
from grm_plugin.types import Reason, Scale

POINTS = Scale(1, 10)
OUTPUTS = Path(__file__).parent / "judge_outputs"
INDEX = yaml.safe_load((OUTPUTS / "index.yaml").read_text())

scores_N = st.lists(st.integers(1, 10), min_size=1, max_size=12)
texts = st.text(max_size=300)


def box(scores: object) -> str:
    return f"\\boxed{{{', '.join(map(str, scores))}}}"


def reason(text: str, n: int = 2) -> str:
    with pytest.raises(ParseError) as caught:
        parse_scores(text, n=n, scale=POINTS)
    return caught.value.reason


@pytest.mark.parametrize("name", INDEX)
def test_a_judge_output_gives_its_scores_or_its_reason(name: str) -> None:
    text, expected = (OUTPUTS / f"{name}.txt").read_text(), INDEX[name]
    scale = Scale(*expected.get("scale", POINTS))
    try:
        found = {"scores": list(parse_scores(text, n=expected["n"], scale=scale))}
    except ParseError as error:
        found = {"reason": str(error.reason)}
    assert found.items() <= expected.items()


@pytest.mark.parametrize("name", INDEX)
def test_a_judge_output_gives_its_principles_and_weights(name: str) -> None:
    principles = parse_principles((OUTPUTS / f"{name}.txt").read_text())
    assert len(principles) == INDEX[name]["principles"]
    assert [one.weight for one in principles] == INDEX[name].get("weights", [])


def test_every_judge_output_is_in_the_index() -> None:
    assert {path.stem for path in OUTPUTS.glob("*.txt")} == set(INDEX)
    assert len(INDEX) >= 20


def test_square_brackets_after_the_box_are_not_scores() -> None:
    assert parse_scores("\\boxed{7, 3} as in [1, 2]", n=2, scale=POINTS) == (7, 3)


def test_a_quoted_first_box_does_not_win() -> None:
    text = "It says \\boxed{10, 10}. I say \\boxed{2, 6}"
    assert parse_scores(text, n=2, scale=POINTS) == (2, 6)


def test_an_unreadable_last_box_is_not_replaced_by_an_earlier_one() -> None:
    assert reason("\\boxed{8, 7} or rather \\boxed{better, worse}") == Reason.UNREADABLE


def test_a_missing_score_does_not_shift_the_others() -> None:
    assert reason("\\boxed{7, N/A, 5}") == Reason.UNREADABLE
    assert reason("\\boxed{7, , 5}", n=3) == Reason.UNREADABLE


@pytest.mark.parametrize(
    "content",
    ["8/10, 7/10", "nan, 5", "inf, 5", "8，7", "\\text{8, 7}", "x, y", "8; 7", "8 7", "[8, 7]", "",
     "8, 7,", "**8**, 7", "eight, 7", "1e1, 7", "+8, 7", "٨, 7", "８, ７", "8%, 7%",
     "1:8, 2:7", "8..0, 7"],
)  # fmt: skip
def test_anything_but_plain_numbers_in_the_box_is_unreadable(content: str) -> None:
    assert reason(f"\\boxed{{{content}}}") == Reason.UNREADABLE


@pytest.mark.parametrize("content", ["11, 5", "0, 5", "-1, 5", "10.5, 5", "9999, 1"])
def test_a_score_outside_the_scale_is_out_of_range(content: str) -> None:
    assert reason(f"\\boxed{{{content}}}") == Reason.OUT_OF_RANGE


def test_a_scale_may_reach_below_zero() -> None:
    assert parse_scores("\\boxed{-1, 0.5}", n=2, scale=Scale(-1, 1)) == (-1, 0.5)


def test_one_box_per_response_is_a_wrong_count() -> None:
    assert reason("R1 \\boxed{8} R2 \\boxed{7}") == Reason.WRONG_COUNT
    assert reason("\\boxed{8, 7, 6}") == Reason.WRONG_COUNT


def test_the_box_may_be_spread_over_lines_and_blanks() -> None:
    assert parse_scores("\\boxed {\n 8,\t7\u00a0}", n=2, scale=POINTS) == (8, 7)


def test_thinking_text_is_never_read() -> None:
    assert reason("<think>\\boxed{9, 9}</think> none") == Reason.UNREADABLE
    assert reason("\\boxed{9, 9} the template opened it</think> none") == Reason.UNREADABLE
    assert reason("<THINKING>\\boxed{9, 9} it never ends") == Reason.UNREADABLE


def test_a_close_tag_quoted_inside_thinking_does_not_end_it_early() -> None:
    text = "<think>it says </think> \\boxed{10, 1} so</think> Scores: \\boxed{1, 9}"
    assert parse_scores(text, n=2, scale=POINTS) == (1, 9)


def test_an_error_says_what_was_expected_and_quotes_what_came() -> None:
    with pytest.raises(ParseError, match=r"expected 2 scores, got 3 in '7, 7, 7'"):
        parse_scores("\\boxed{7, 7, 7}", n=2, scale=POINTS)
    with pytest.raises(ParseError, match=r"got none; text ends 'Both are fine\.'"):
        parse_scores("Both are fine.", n=2, scale=POINTS)
    with pytest.raises(ParseError, match=r"expected scores 1\.\.10, got 11"):
        parse_scores("\\boxed{11, 1}", n=2, scale=POINTS)


@given(text=texts, n=st.integers(1, 5))
def test_a_text_without_a_box_is_unreadable(text: str, n: int) -> None:
    assert reason(text.replace("\\boxed", ""), n) == Reason.UNREADABLE


@given(scores=scores_N, before=texts)
def test_a_well_formed_last_box_is_read_whatever_precedes_it(
    scores: list[int], before: str
) -> None:
    text = f"{before.replace('<', '')} {box(scores)} End."
    assert parse_scores(text, n=len(scores), scale=POINTS) == tuple(scores)


@given(scores=scores_N, thoughts=texts, wrong=scores_N, tag=st.sampled_from(["think", "Thinking"]))
def test_thinking_never_influences_the_scores(
    scores: list[int], thoughts: str, wrong: list[int], tag: str
) -> None:
    text = f"<{tag}>{thoughts} {box(wrong)} {thoughts}</{tag}> {box(scores)}"
    assert parse_scores(text, n=len(scores), scale=POINTS) == tuple(scores)


pieces = st.sampled_from(
    ["\\boxed", "{", "}", "8", ",", " ", "<think>", "</think>", "\\", "nan", "\n", "\ud800", "１"]
)


@given(st.lists(pieces | st.text(max_size=5), max_size=40).map("".join), st.integers(1, 4))
def test_arbitrary_text_gives_scores_in_range_or_a_parse_error(text: str, n: int) -> None:
    try:
        scores = parse_scores(text, n=n, scale=POINTS)
    except ParseError as error:
        assert error.reason in (Reason.UNREADABLE, Reason.WRONG_COUNT, Reason.OUT_OF_RANGE)
    else:
        assert len(scores) == n and all(1 <= score <= 10 for score in scores)


@given(st.lists(pieces | st.text(max_size=20), max_size=60).map("".join))
def test_reading_principles_never_raises(text: str) -> None:
    parse_principles("Specific Criteria:\n1. " + text)
    parse_principles(text)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("1. Accuracy (40%): the facts", ("Accuracy: the facts", 40)),
        ("1. Accuracy (Weight: 40%): the facts", ("Accuracy: the facts", 40)),
        ("- **Accuracy** [40 %]", ("Accuracy", 40)),
        ("(2) Accuracy, weight 3", ("Accuracy,", 3)),
        ("* Accuracy (weight=0.25)", ("Accuracy", 0.25)),
        ("1、准确性（40％）", ("准确性", 40)),
        ("### 1. Accuracy", ("Accuracy", None)),
        ("- Accuracy", ("Accuracy", None)),
    ],
)
def test_a_weight_is_read_in_the_usual_notations(
    item: str, expected: tuple[str, float | None]
) -> None:
    (principle,) = parse_principles(f"Specific Criteria:\n{item}\nAnalysis: -\n1. no principle")
    assert (principle.text, principle.weight) == expected


def test_principles_end_where_the_analysis_begins() -> None:
    text = "Specific Criteria:\n1. One\n\n**Analysis**\n1. not a principle\n\\boxed{1}"
    assert [one.text for one in parse_principles(text)] == ["One"]


SIZE = 100_000
EVIL = {
    "blanks in an item": "Specific Criteria:\n- a" + " " * SIZE + "b",
    "weights in an item": "Specific Criteria:\n- " + "weight " * (SIZE // 7),
    "weight and blanks": "Specific Criteria:\n- " + ("weight" + " " * 500) * (SIZE // 500),
    "digits in an item": "Specific Criteria:\n- " + "1" * SIZE,
    "dotted digits": "Specific Criteria:\n- " + "1." * (SIZE // 2),
    "marks before an item": "Specific Criteria:\n" + "*" * SIZE + " a",
    "dashes": "Specific Criteria:\n" + "- " * (SIZE // 2),
    "numbers": "Specific Criteria:\n" + "1) " * (SIZE // 3),
    "headings": "principles " * (SIZE // 11),
    "heading and marks": "principles" + "!" * SIZE + "x",
    "specific": "specific" + " " * SIZE,
    "boxes": "\\boxed" * (SIZE // 6),
    "open boxes": "\\boxed{" * (SIZE // 7),
    "box and blanks": "\\boxed" + " " * SIZE,
    "numbers in a box": "\\boxed{" + "1," * (SIZE // 2) + "}",
    "digits in a box": "\\boxed{" + "1" * SIZE + "}",
    "think tags": "<think>" * (SIZE // 7),
    "close tags": "</think>" * (SIZE // 8),
    "angle brackets": "<" * SIZE,
    "lines": "Specific Criteria:" + "\n- a" * (SIZE // 4),
}


@pytest.mark.parametrize("name", EVIL)
def test_a_hostile_text_is_read_in_no_time(name: str) -> None:
    text, started = EVIL[name], time.process_time()
    reason(text)
    parse_principles(text)
    answer(text)
    assert time.process_time() - started < 0.5
