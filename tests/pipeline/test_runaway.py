"""A judge whose end-of-turn token ends nothing is told from one that had no room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import GRM, Group
from grm_plugin.engine import Draw
from grm_plugin.pipeline.runaway import next_turn
from grm_plugin.testing import scripted
from grm_plugin.types import Reason, Verdict

ANSWER = "Criteria. Analysis. Scores: \\boxed{9, 2}"
FRAME = "\n\n[Conversation]\nuser: And now?\n[Responses to judge: 2]\n...\nScores: \\boxed{5, 5}"


def judged(text: str, end: str = "length", k: int = 2) -> Verdict:
    judge = scripted([Draw(text, end)])
    with GRM(plugins=judge, engine="scripted", k=k, permutations=1, find_culprits=0) as grm:
        return grm.score(Group.of("q", ["a", "b"]))


@pytest.mark.parametrize(
    ("behind", "mark"),
    [
        ("<|im_end|>\n<|im_start|>user\nAnd now?", "<|im_end|>"),
        ("<end_of_turn>\n<start_of_turn>user\nNo", "<end_of_turn>"),
        ("<|eot_id|><|start_header_id|>user", "<|eot_id|>"),
        ("</s> [INST] more", "</s>"),
        ("\nuser\nAnd now?\nassistant\n\\boxed{1, 1}", "user"),  # special tokens left out
        ("\nHuman: and now?", "Human:"),
        (FRAME, "[Conversation]"),
    ],
)
def test_a_judge_that_goes_on_with_another_turn_is_told_what_to_name(
    behind: str, mark: str, caplog: pytest.LogCaptureFixture
) -> None:
    verdict = judged(ANSWER + behind)
    assert verdict.failures_by_reason == {Reason.TRUNCATED: 2}  # it never counts as an answer
    for words in (f"went on with {mark!r}", "stop_texts", "stop_token_ids", "eos_token_id"):
        assert words in verdict.failures[0].detail
    told = [one for one in caplog.records if one.levelname == "WARNING"]
    assert [mark in one.getMessage() for one in told] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "Criteria. Analysis of the first response, at length, and then",
        "The user\nasked nothing.\nuser\nBut no box",
        ANSWER,
    ],
)
def test_a_judge_that_was_cut_before_its_answer_is_only_that(text: str) -> None:
    detail = judged(text).failures[0].detail
    assert detail == "the judge was cut at max_tokens before it finished"


def test_a_judge_that_was_cut_while_it_was_thinking_is_told_so() -> None:
    detail = judged(f"<think>{ANSWER}\nuser\n").failures[0].detail
    assert detail == "the judge was cut at max_tokens before it finished, while it was thinking"


def test_a_judge_that_ends_its_own_next_task_by_itself_is_not_believed() -> None:
    verdict = judged(ANSWER + FRAME, "stop")
    assert verdict.rewards is None
    assert verdict.failures_by_reason == {Reason.UNREADABLE: 2}


def test_few_places_are_tried() -> None:
    tried: list[str] = []
    next_turn("user\n" * 1000, lambda text: bool(tried.append(text)))
    assert len(tried) <= 8


@given(st.text(max_size=200), st.booleans())
def test_a_mark_is_always_in_the_text(text: str, readable: bool) -> None:
    mark = next_turn(text, lambda _: readable)
    assert mark in text
