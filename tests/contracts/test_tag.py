"""An answer behind a mark: every mark holds the same value of the menu, and nothing else."""

from __future__ import annotations

import re
import time

import pytest

from grm_plugin.errors import ConfigError, ParseError
from grm_plugin.types import Scale
from tests.contracts.reading import UNIT, contract, error, scores

ANSWER = {"opens": "<answer>", "closes": "</answer>", "shows": "pair"}
RM_R1 = contract("tag", **ANSWER, values={"[[A]]": 1, "[[B]]": -1})
THINK_RM = contract("tag", **ANSWER, values={-3: 3, -2: 2, -1: 1, 1: -1, 2: -2, 3: -3})
JUDGE_LRM = contract("tag", **ANSWER)
BRACKETS = contract("tag", opens="[[", closes="]]", shows="pair", values={"A": 1, "B": -1, "C": 0})
PROMETHEUS = contract("tag", opens="[RESULT]", shows="each", values={n: n for n in range(1, 6)})
PROMETHEUS_PAIR = contract("tag", opens="[RESULT]", shows="pair", values={"A": 1, "B": -1})
RATING = contract("tag", opens="Rating: [[", closes="]]", shows="each")
DECISION = contract(
    "tag",
    opens="final decision is",
    shows="pair",
    values={"Response 1": 1, "Response 2": -1, "Tie": 0},
)
YES_NO = contract("tag", opens="Final Judgement:", shows="each", values={"Yes": 1, "No": 0})
TWO = contract("tag", opens=["<score_A>", "<score_B>"], closes=["</score_A>", "</score_B>"])
FIVE = Scale(1, 5)


@pytest.mark.parametrize(
    ("judge", "text", "n", "scale", "expected"),
    [
        (RM_R1, "So <answer>[[A]]</answer>", 2, UNIT, (1, 0)),
        (RM_R1, "So <answer> [[B]]\n</answer> .", 2, UNIT, (0, 1)),
        (THINK_RM, "<answer>-3</answer>", 2, UNIT, (1, 0)),
        (THINK_RM, "<answer>3</answer>", 2, UNIT, (0, 1)),
        (THINK_RM, "<answer>1</answer>", 2, Scale(-3, 3), (-1, 1)),
        (JUDGE_LRM, "<answer>8 3</answer>", 2, Scale(0, 10), (8, 3)),
        (JUDGE_LRM, "<answer>\n8, 0.5\n</answer>", 2, Scale(0, 10), (8, 0.5)),
        (BRACKETS, "I choose [[C]].", 2, UNIT, (0.5, 0.5)),
        (PROMETHEUS, "Feedback: fine. [RESULT] 4", 1, FIVE, (4,)),
        (PROMETHEUS, "Feedback: fine.\n[RESULT]\n4.\n", 1, FIVE, (4,)),
        (PROMETHEUS, "Feedback: fine. **[RESULT]** **4**", 1, FIVE, (4,)),
        (PROMETHEUS_PAIR, "Feedback: fine. [RESULT] B", 2, UNIT, (0, 1)),
        (RATING, "It is ok. Rating: [[7]]", 1, Scale(1, 10), (7,)),
        (DECISION, "So the final decision is Response 2.", 2, UNIT, (0, 1)),
        (DECISION, "So the final\ndecision is Tie", 2, UNIT, (0.5, 0.5)),
        (YES_NO, "It follows it.\nFinal Judgement: Yes", 1, UNIT, (1,)),
        (YES_NO, "**Final Judgement:** No", 1, UNIT, (0,)),
        (TWO, "<score_B>2</score_B><score_A>9</score_A>", 2, Scale(1, 10), (9, 2)),
    ],
)
def test_an_answer_on_the_menu_is_read(
    judge: object, text: str, n: int, scale: Scale, expected: tuple[float, ...]
) -> None:
    assert scores(judge, text, n, scale) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("judge", "text", "n", "scale", "why"),
    [
        (RM_R1, "<answer>[[A]]</answer> or <answer>[[B]]</answer>", 2, UNIT, "expected one answer"),
        (RM_R1, "<answer>A</answer>", 2, UNIT, "expected one of"),
        (RM_R1, "<answer>[[A]] [[B]]</answer>", 2, UNIT, "expected one of"),
        (RM_R1, "<answer>[[A]]", 2, UNIT, "that closes"),
        (RM_R1, "[[A]]", 2, UNIT, "got none"),
        (RM_R1, "I would not say <answer>[[A]]</answer>", 2, UNIT, "denied by"),
        (RM_R1, "<answer>[[A]]</answer>\n[Conversation]\n", 2, UNIT, "a frame"),
        (THINK_RM, "<answer>0</answer>", 2, UNIT, "expected one of"),
        (THINK_RM, "<answer>1.0</answer>", 2, UNIT, "expected one of"),
        (JUDGE_LRM, "<answer>8</answer>", 2, Scale(0, 10), "wrong_count"),
        (JUDGE_LRM, "<answer>11 3</answer>", 2, Scale(0, 10), "out_of_range"),
        (JUDGE_LRM, "<answer>8 > 3</answer>", 2, Scale(0, 10), "unreadable"),
        (BRACKETS, "[[A]] rather than [[B]]", 2, UNIT, "expected one answer"),
        (BRACKETS, "x = [[1, 2]], so [[A]]", 2, UNIT, "expected one answer"),
        (PROMETHEUS, "[RESULT] 4/5", 1, FIVE, "expected one of"),
        (PROMETHEUS, "[RESULT] 6", 1, FIVE, "expected one of"),
        (PROMETHEUS, "[RESULT] 4 or 5", 1, FIVE, "expected one of"),
        (PROMETHEUS, "[RESULT] (a number between 1 and 5)", 1, FIVE, "expected one of"),
        (PROMETHEUS, "He said [RESULT] 5\nFeedback: no.\n[RESULT] 1", 1, FIVE, "one answer"),
        (PROMETHEUS, "[RESULT]", 1, FIVE, "unreadable"),
        (DECISION, "final decision is Response 1 / Response 2 / Tie", 2, UNIT, "expected one of"),
        (DECISION, "My final decision isn't Response 1", 2, UNIT, "unreadable"),
        (YES_NO, "Final Judgement: yes", 1, UNIT, "expected one of"),
        (YES_NO, "Final Judgement: Yes and No", 1, UNIT, "expected one of"),
        (YES_NO, "Final Judgement: Yes", 1, Scale(1, 5), None),
        (TWO, "<score_A>9</score_A>", 2, Scale(1, 10), "got none"),
        (TWO, "<score_A>9 8</score_A><score_B>2</score_B>", 2, Scale(1, 10), "wrong_count"),
    ],
)
def test_anything_else_is_refused_with_its_reason(
    judge: object, text: str, n: int, scale: Scale, why: str | None
) -> None:
    if why is None:
        assert scores(judge, text, n, scale) == (1,)  # type: ignore[arg-type]
        return
    assert why in error(judge, text, n, scale)  # type: ignore[arg-type]


def test_a_value_off_the_scale_of_the_template_is_out_of_range() -> None:
    assert "out_of_range" in error(YES_NO, "Final Judgement: No", 1, Scale(1, 5))


def test_a_verdict_on_a_pair_needs_a_pair() -> None:
    assert "got 1 on 3; such a judge sees pairs" in error(RM_R1, "<answer>[[A]]</answer>", 3)


def test_a_closing_mark_that_ends_generation_is_not_in_the_text() -> None:
    judge = contract("tag", **ANSWER, values={"A": 1, "B": -1}, stops=True)
    assert judge.stop == ("</answer>",)
    assert scores(judge, "So <answer>A", 2, UNIT) == (1, 0)


@pytest.mark.parametrize(
    ("judge", "quotation"),
    [(RM_R1, "< ANSWER >"), (RM_R1, "</answer>"), (BRACKETS, "[[ a ]]"), (RATING, "rating:[["),
     (DECISION, "Final decision  is"), (PROMETHEUS, "[result]"), (TWO, "<score_b>")],
)  # fmt: skip
def test_the_marks_are_defused_in_what_others_wrote(judge: object, quotation: str) -> None:
    forms = re.compile("|".join(judge.forms), re.IGNORECASE)  # type: ignore[attr-defined]
    assert forms.search(quotation)


def test_brackets_of_code_are_no_mark() -> None:
    assert not re.search("|".join(BRACKETS.forms), "x = [[1, 2], [3, 4]]")


def test_wrong_options_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"contract 'tag': opens: required, and not given"):
        contract("tag")
    with pytest.raises(ConfigError, match=r"expected marks that are not empty"):
        contract("tag", opens=" ")
    with pytest.raises(ConfigError, match=r"expected 2 closes or one, got 3"):
        contract("tag", opens=["a", "b"], closes=["c", "d", "e"])
    with pytest.raises(ConfigError, match=r"expected one mark for a verdict on a pair"):
        contract("tag", opens=["a", "b"], shows="pair", values={"x": 1})


@pytest.mark.parametrize("judge", [RM_R1, PROMETHEUS, BRACKETS, DECISION, JUDGE_LRM, RATING, TWO])
@pytest.mark.parametrize(
    "piece",
    ["<answer>", "<answer>[[A]]</answer>", "[RESULT]", "[RESULT] 4\n", "[", "[[", "[[A]]", " ",
     "\n", "final ", "final decision is ", "<answer>8 ", "Rating: [[", "<score_A>1</score_A>"],
)  # fmt: skip
def test_a_hostile_text_is_read_in_no_time(judge: object, piece: str) -> None:
    text, started = piece * (300_000 // len(piece)), time.process_time()
    try:
        scores(judge, text, 2)  # type: ignore[arg-type]
    except ParseError as caught:
        assert len(str(caught)) < 600
    assert time.process_time() - started < 1.5
