"""Figures about a judge are pure functions of its texts."""

import pytest

from grm_plugin.reference.making.evaluation import (
    agreement,
    invented_criteria,
    read_checks,
    read_scores,
)
from grm_plugin.reference.tasks.data import TaskGroup
from grm_plugin.reference.tasks.task import Requirement, Task

TASK = Task("", (Requirement("unique"), Requirement("include", words=("teapot",))))
GROUP = TaskGroup(TASK, ("teapot", "sunset"), (1.0, 0.5))
JUDGMENT = (
    "Specific Criteria:\n1. include teapot (weight 7)\n2. exclude sunset (weight 3)\nAnalysis:\n"
    "Response 1 of 2: teapot1. teapot found, ok; sunset absent, ok. Score 10.\n"
    "Response 2 of 2: sunset1. teapot found, ok; sunset found, bad. Score 7.\n"
    "Scores: \\boxed{10, 7}"
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\\boxed{}",
        "\\boxed{3}",
        "\\boxed{3, 11}",
        "\\boxed{0, 3}",
        "\\boxed{3, x}",
        "\\boxed{3, 4, 5}",
    ],
)
def test_a_box_without_exactly_n_scores_of_one_to_ten_is_unreadable(text):
    assert read_scores(text, 2) is None


def test_scores_are_read_by_the_contract_of_every_judge():
    assert read_scores("Scores: \\boxed{10, 3}", 2) == (10, 3)
    assert read_scores("\\boxed{1, 2} \\boxed{10, 3}", 2) is None


def test_a_check_agrees_only_with_the_checker():
    checks = read_checks(JUDGMENT, TASK, GROUP.responses)
    assert [(one.kind, one.agrees) for one in checks] == [("include", True), ("include", False)]
    assert agreement(checks) == {"include": 0.5}


def test_a_criterion_that_the_query_never_stated_is_invented():
    assert invented_criteria(JUDGMENT, TASK) == 1
