"""What stands beside a box: another score that is named, or quotation marks."""

from __future__ import annotations

import pytest

from tests.contracts.test_boxed import error, scores


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
