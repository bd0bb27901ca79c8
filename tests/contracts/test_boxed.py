"""The box: exactly N plain numbers, one answer outside thinking, no frame of the judge's own."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.contracts.boxed import boxed
from grm_plugin.contracts.contract import Answer
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, ParseError
from grm_plugin.thinking import Thinking
from grm_plugin.types import Reason, Scale

POINTS = Scale(1, 10)
OUTPUTS = Path(__file__).parent / "judge_outputs"
INDEX = yaml.safe_load((OUTPUTS / "index.yaml").read_text())

scores_N = st.lists(st.integers(1, 10), min_size=1, max_size=12)
texts = st.text(max_size=300)


def scores(text: str, n: int = 2, scale: Scale = POINTS, **options: object) -> tuple[float, ...]:
    return boxed(options, Limits()).read(Answer(Thinking().final_answer(text), n, scale)).scores


def box(numbers: object) -> str:
    return f"\\boxed{{{', '.join(map(str, numbers))}}}"


def error(text: str, n: int = 2, **options: object) -> ParseError:
    with pytest.raises(ParseError) as caught:
        scores(text, n, **options)
    return caught.value


def reason(text: str, n: int = 2) -> str:
    return error(text, n).reason


@pytest.mark.parametrize("name", INDEX)
def test_a_judge_output_gives_its_scores_or_its_reason(name: str) -> None:
    text, expected = (OUTPUTS / f"{name}.txt").read_text(), INDEX[name]
    scale = Scale(*expected.get("scale", POINTS))
    try:
        found = {"scores": list(scores(text, expected["n"], scale))}
    except ParseError as caught:
        found = {"reason": str(caught.reason)}
    assert found.items() <= expected.items()


def test_every_judge_output_is_in_the_index() -> None:
    assert {path.stem for path in OUTPUTS.glob("*.txt")} == set(INDEX)
    assert len(INDEX) >= 40


def test_square_brackets_after_the_box_are_not_scores() -> None:
    assert scores("\\boxed{7, 3} as in [1, 2]") == (7, 3)


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("It says \\boxed{10, 10}. I say \\boxed{2, 6}", 2),
        ("Scores: \\boxed{0}. For the record, it says \\boxed{1}.", 1),
        ("It boxes \\boxed{10} itself. \\boxed{3}", 1),
        ("\\boxed{8, 6}. Wait, the limit was 200 words: \\boxed{5, 7}", 2),
        ("The answer is \\boxed{42}. Scores: \\boxed{8, 6}", 2),
        ("R1 \\boxed{8} R2 \\boxed{7}", 2),
    ],
)
def test_boxes_that_disagree_are_unreadable(text: str, n: int) -> None:
    assert "expected one answer, got" in str(error(text, n))
    assert reason(text, n) == Reason.UNREADABLE


def test_a_whole_answer_repeated_is_one_answer() -> None:
    text = "Specific Criteria: x\nScores: \\boxed{8, 7}\n"
    assert scores(text * 3 + "\\boxed{8.0,7}") == (8, 7)


def test_a_broken_box_is_not_replaced_by_a_good_one() -> None:
    for broken in ("\\boxed{better, worse}", "\\boxed{\\text{8, 7}}", "\\boxed{8, 7", "\\boxed {"):
        assert reason(f"\\boxed{{8, 7}} or {broken}") == Reason.UNREADABLE
        assert reason(f"{broken} or \\boxed{{8, 7}}") == Reason.UNREADABLE
    assert reason("\\boxed{8, 7} or \\boxed") == Reason.UNREADABLE


@pytest.mark.parametrize(
    "echo", ["\\boxed{x, y}", "\\boxed{a}", "\\boxed{x_1, ..., x_n}", "a \\boxed", "\\boxed{…}"]
)
def test_the_instruction_repeated_is_no_answer_and_does_no_harm_before_one(echo: str) -> None:
    assert "got none" in str(error(f"In the form {echo}."))
    assert scores(f"In the form {echo}. Scores: \\boxed{{8, 7}}") == (8, 7)
    assert reason(f"\\boxed{{8, 7}} in the form {echo}.") == Reason.UNREADABLE


@pytest.mark.parametrize(
    "denial",
    ["I would not give ", "I would not give it ", "I won't give them a ", "It deserves not a ",
     "I can not write ", "Never would I write ", "I said 3, 2 instead of ", "2, 3 rather than $"],
)  # fmt: skip
def test_a_box_that_the_words_before_it_deny_is_unreadable(denial: str) -> None:
    assert "denied by" in str(error(f"{denial}\\boxed{{8, 7}}"))


@pytest.mark.parametrize(
    "before",
    ["It is not good. ", "The second does not\n", "It fails, but not by much: so I give it ",
     "Nothing more to say: ", "Note: ", "It does not answer what was asked, so scores are "],
)  # fmt: skip
def test_a_box_after_another_clause_with_not_in_it_is_read(before: str) -> None:
    assert scores(f"{before}\\boxed{{8, 7}}") == (8, 7)


@pytest.mark.parametrize("label", ["Score: 3", "score = 3", "The score is 3", "Rating: **3**",
    "**Score**: $3$", "Scores: [3]", "Score: (3)", "Final rating: `3.0`", "Score：3", "Score: -3"],
)  # fmt: skip
def test_a_score_named_after_the_box_that_is_not_in_it_makes_it_unreadable(label: str) -> None:
    for text, n in ((f"\\boxed{{10}}. {label}", 1), (f"\\boxed{{10, 1}}\n{label}", 2)):
        assert "expected one answer, got '10" in str(error(text, n))
    assert scores(f"\\boxed{{8, 7}}. {label.replace('-', '').replace('3', '7')}") == (8, 7)


@pytest.mark.parametrize("label", ["Score: 3", "**Score:** 3", "## Final Score = $3$",
    "Rating is [3]", "  _Overall score_: 3"],
)  # fmt: skip
def test_a_line_that_names_another_score_before_the_box_of_one_response_makes_it_unreadable(
    label: str,
) -> None:
    told = str(error(f"It is wrong.\n{label}\nIt wants \\boxed{{10}}", 1))
    assert "expected one answer, got '10' in the box and" in told and "before it" in told
    assert scores(f"{label}\n\\boxed{{3}}", 1) == (3,)
    assert scores(f"{label}\n\\boxed{{10, 1}}") == (10, 1)


@pytest.mark.parametrize("criterion", ["- Logic: Score: 3", "1. Score: 3", "Logic, score: 3",
    "Response 1 of 1: fine. Score 3.", "* Score: 3"],
)  # fmt: skip
def test_scores_of_criteria_before_the_box_of_one_response_do_no_harm(criterion: str) -> None:
    assert scores(f"{criterion}\n\\boxed{{8}}", 1) == (8,)


@pytest.mark.parametrize("quotation", ['It says "\\boxed{10}".', '“please give \\boxed{10}!”',
    "> \\boxed{10}", "  > It is fine: \\boxed{10}", "«\\boxed{10}»", "„$\\boxed{10}$“"],
)  # fmt: skip
def test_a_box_that_is_quoted_is_unreadable(quotation: str) -> None:
    assert "in a box that is quoted" in str(error(f"Well.\n{quotation}\nSo.", 1))
    assert scores(f"{quotation}\nI agree: \\boxed{{10}}", 1) == (10,)


@pytest.mark.parametrize("text", ['"Good", it says: \\boxed{8}', 'So "fine"\n\\boxed{8} and "bad"',
    'A 5" screen: \\boxed{8}', "2 > 1: \\boxed{8}", '`\\boxed{8}`', "> quoted\n\\boxed{8}"],
)  # fmt: skip
def test_a_box_beside_a_quotation_is_read(text: str) -> None:
    assert scores(text, 1) == (8,)


FRAMES = [
    "[Conversation]", "[Responses to judge: 2]", "[Query]", "[Question]", "[Answer to check]",
    "[The Begin of Response 1]", "[Start of Model A]", "  [conversation]",
    "#### Responses to be Scored ####", "<|im_start|>user", "<start_of_turn>user",
]  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES)
def test_a_text_with_a_frame_of_the_judge_s_own_is_unreadable(frame: str) -> None:
    for text in (
        f"\\boxed{{9, 2}}\n\n{frame}\nAnd now?\nScores: \\boxed{{5, 5}}",
        f"\\boxed{{9, 2}}\n\n{frame}\nAnd now?\nScores: \\boxed{{9, 2}}",
        f"Scores: 9, 2\n{frame}\nAnd now?\nScores: \\boxed{{5, 5}}",
        f"\\boxed{{9, 2}}\n{frame}",
    ):
        assert "a frame of the judge's own" in str(error(text))


def test_new_criteria_with_another_box_are_told_as_another_task() -> None:
    text = "\\boxed{9, 2}\n\nSpecific Criteria:\n1. x\n\\boxed{5, 5}"
    assert "after it ran on to another task" in str(error(text))


def test_prose_after_the_one_box_is_read_over() -> None:
    assert scores("\\boxed{9, 2}. The first is right [1, 2], since {x} is.\n\nIn short: 5.") == (
        9,
        2,
    )


def test_a_ranking_in_the_box_is_unreadable() -> None:
    for ranking in ("Response 2 > Response 1", "2 > 1", "R2, R1", "A > B"):
        assert reason(f"\\boxed{{{ranking}}}") == Reason.UNREADABLE


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
    assert scores("\\boxed{-1, 0.5}", scale=Scale(-1, 1)) == (-1, 0.5)


def test_another_number_of_scores_than_responses_is_a_wrong_count() -> None:
    assert reason("\\boxed{8, 7, 6}") == reason("\\boxed{8}") == Reason.WRONG_COUNT


def test_the_box_may_be_spread_over_lines_and_blanks() -> None:
    assert scores("\\boxed {\n 8,\t7\u00a0}") == (8, 7)


def test_a_draft_in_thinking_is_never_read() -> None:
    assert reason("<think>\\boxed{9, 9}</think> none") == Reason.UNREADABLE
    assert reason("\\boxed{9, 9} the template opened it</think> none") == Reason.UNREADABLE
    assert reason("<THINKING>\\boxed{9, 9} it never ends") == Reason.UNREADABLE
    text = "<think>it says </think> \\boxed{10, 1} so</think> Scores: \\boxed{1, 9}"
    assert scores(text) == (1, 9)


def test_an_error_says_what_was_expected_and_quotes_what_came() -> None:
    assert "expected 2 scores, got 3 in '7, 7, 7'" in str(error("\\boxed{7, 7, 7}"))
    assert "got none; text ends 'Both are fine.'" in str(error("Both are fine."))
    assert "expected scores 1..10, got 11" in str(error("\\boxed{11, 1}"))
    assert "expected 2 numbers, got 'seven'" in str(error("\\boxed{seven}"))
    assert (
        "expected a box that holds plain numbers and closes, got '\\\\boxed{\\\\frac{3}{7}}'"
        in str(error("\\boxed{\\frac{3}{7}}"))
    )


RRM = {"shows": "pair", "values": {"Assistant 1": 1, "Assistant 2": -1}}


def test_a_menu_of_texts_may_stand_in_the_box() -> None:
    assert scores("\\boxed{Assistant 2}", **RRM) == (1, 10)
    assert scores("\\boxed{ Assistant 1 }", scale=Scale(0, 1), **RRM) == (1, 0)
    assert "expected one of 'Assistant 1', 'Assistant 2'" in str(error("\\boxed{7, 3}", **RRM))
    assert error("\\boxed{Assistant 1} \\boxed{Assistant 2}", **RRM).reason == Reason.UNREADABLE


def test_a_ranking_of_six_steps_gives_symmetric_scores() -> None:
    values = {1: 5, 2: 3, 3: 1, 4: -1, 5: -3, 6: -5}
    read = [
        scores(f"\\boxed{{{step}}}", scale=Scale(0, 1), shows="pair", values=values)
        for step in range(1, 7)
    ]
    assert [round(first - second, 9) for first, second in read] == [1, 0.6, 0.2, -0.2, -0.6, -1]
    assert all(first + second == pytest.approx(1) for first, second in read)


def test_letters_of_a_menu_are_no_echo_of_the_instruction() -> None:
    values = {"A": 1, "B": 2, "C": 3}
    assert scores("\\boxed{C, A}", scale=Scale(1, 3), values=values) == (3, 1)
    assert error("\\boxed{A, B} \\boxed{B, A}", values=values).reason == Reason.UNREADABLE


def test_wrong_options_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"contract 'boxed'.*unknown key 'value'.*'values'"):
        boxed({"value": {}}, Limits())
    with pytest.raises(ConfigError, match=r"put Yes and No in quotes"):
        boxed({"values": {True: 1}}, Limits())
    with pytest.raises(ConfigError, match=r"values.*finite"):
        boxed({"values": {"a": float("inf")}}, Limits())
    with pytest.raises(ConfigError, match=r"other than 0 for some answer of a pair"):
        boxed({"shows": "pair", "values": {"tie": 0}}, Limits())


@given(text=texts, n=st.integers(1, 5))
def test_a_text_without_a_box_is_unreadable(text: str, n: int) -> None:
    assert reason(text.replace("\\boxed", ""), n) == Reason.UNREADABLE


@given(numbers=scores_N, before=texts, after=texts)
def test_one_well_formed_box_is_read_whatever_stands_around_it(
    numbers: list[int], before: str, after: str
) -> None:
    before, after = (re.sub(r'[<>\\"“„«]', "", text) for text in (before, after))
    text = f"{before}. {box(numbers)} {after}"
    assert scores(text, n=len(numbers)) == tuple(numbers)


@given(numbers=scores_N, thoughts=texts, wrong=scores_N, tag=st.sampled_from(["think", "Thinking"]))
def test_thinking_never_influences_the_scores(
    numbers: list[int], thoughts: str, wrong: list[int], tag: str
) -> None:
    thoughts = thoughts.replace("<", "")
    text = f"<{tag}>{thoughts} {box(wrong)} {thoughts}.</{tag}> {box(numbers)}"
    assert scores(text, n=len(numbers)) == tuple(numbers)


pieces = st.sampled_from(
    ["\\boxed", "{", "}", "8", ",", " ", "<think>", "</think>", "\\", "nan", "\n", "\ud800", "１"]
)


@given(st.lists(pieces | st.text(max_size=5), max_size=40).map("".join), st.integers(1, 4))
def test_arbitrary_text_gives_scores_in_range_or_a_parse_error(text: str, n: int) -> None:
    try:
        found = scores(text, n)
    except ParseError as caught:
        assert caught.reason in (Reason.UNREADABLE, Reason.WRONG_COUNT, Reason.OUT_OF_RANGE)
    else:
        assert len(found) == n and all(1 <= score <= 10 for score in found)


SIZE = 1_000_000
EVIL = {
    "boxes": "\\boxed" * (SIZE // 6),
    "open boxes": "\\boxed{" * (SIZE // 7),
    "box and blanks": "\\boxed" + " " * SIZE,
    "numbers in a box": "\\boxed{" + "1," * (SIZE // 2) + "}",
    "digits in a box": "\\boxed{" + "1" * SIZE + "}",
    "equal boxes": "\\boxed{1, 2}" * (SIZE // 12),
    "a box and large boxes": "\\boxed{1, 2}" * (SIZE // 24) + "\\boxed{" + "1," * (SIZE // 4) + "}",
    "denials": "not " * (SIZE // 4) + "\\boxed{1}",
    "denied boxes": "not a b c d \\boxed{1}" * (SIZE // 20),
    "blanks at line starts": (" " * 1000 + "\n") * (SIZE // 1000),
    "frames that do not close": "[The Begin of Response " * (SIZE // 23),
    "lines": "\n" * SIZE,
    "user lines": "\\boxed{1}" + "\nuse" * (SIZE // 4) + "\\boxed{2}",
    "angle brackets": "<" * SIZE,
    "placeholders": "\\boxed{" + "x," * (SIZE // 2) + "!}",
    "quoted boxes": "> " + "\\boxed{1}" * (SIZE // 9),
    "scores": "score: 1 " * (SIZE // 18) + "\\boxed{1}" + "score: 1 " * (SIZE // 18),
    "labels": "\\boxed{1}" + "score" * (SIZE // 5),
}


@pytest.mark.parametrize("name", EVIL)
def test_a_hostile_text_is_read_in_no_time(name: str) -> None:
    started = time.process_time()
    try:
        scores(EVIL[name])
    except ParseError as caught:
        assert len(str(caught)) < 500
    assert time.process_time() - started < 2
