"""What a contract reads live it reads again from a record, to the same scores."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from grm_plugin import GRM, Group
from grm_plugin.engine import Draw, SampleRequest
from grm_plugin.records import read_verdicts
from grm_plugin.types import Reason, Token
from tests.core.honest_judge import grm

THINKS, ENDS = "<think>\\boxed{9, 9}?</think>", "\nThat is all."
FORMS = {
    "boxed": ({"contract": "boxed"}, "\\boxed{8, 3}"),
    "section": (
        {"contract": {"name": "section", "section": "Score"}},
        "[The Begin of Score]\\boxed{8, 3}[The End of Score]",
    ),
    "tag": (
        {"contract": {"name": "tag", "opens": "<answer>", "closes": "</answer>"}},
        "<answer>8, 3</answer>",
    ),
    "json": ({"contract": {"name": "json", "keys": ["scores"]}}, '\n{"scores": [8, 3]}'),
    "expected": ({"contract": "expected"}, "\\boxed{8, 3}"),
    "expected in a section": (
        {"contract": {"name": "expected", "of": {"name": "section", "section": "Score"}}},
        "[The Begin of Score]\\boxed{8, 3}[The End of Score]",
    ),
    "letters": (
        {"template": "letters", "plan": "pairs"},
        "<score_A>C</score_A>\n<score_B>M</score_B>",
    ),
}


def tokens(text: str) -> tuple[Token, ...]:
    """A token for every character, each a little unsure; some of what it could be is impossible."""
    return tuple(
        Token(one, math.log(0.9), {one: math.log(0.9), "7": math.log(0.1), "x": -math.inf})
        for one in text
    )


@pytest.mark.parametrize("select", ["all", "meta_rm"])
@pytest.mark.parametrize("form", FORMS)
def test_a_replay_gives_what_was_read_live(tmp_path: Path, form: str, select: str) -> None:
    settings, answer = FORMS[form]
    text, path = f"{THINKS}So: {answer}{ENDS}", tmp_path / "r.jsonl"

    def judge(request: SampleRequest, i: int) -> Draw:
        return Draw(text, "stop", tokens=tokens(text) if request.logprobs else ())

    asked = Group.of("q", ["a", "b"])
    with grm(judge, record=path, select=select, k=2, **settings) as live:
        before = live.score(asked)
    if select == "meta_rm":  # no classifier rates them: they wait in the record
        assert set(before.failures_by_reason) == {Reason.META}
        with grm(judge, k=2, **settings) as live:
            before = live.score(asked)
    assert before.scored, before.unscored
    with GRM(engine={"name": "replay", "path": str(path)}, k=2, **settings) as again:
        after = again.score(asked)
    assert after.rewards == before.rewards
    assert [one.scores for one in after.judgments] == [one.scores for one in before.judgments]
    assert [len(one.tokens) for one in after.judgments] == [
        len(one.tokens) for one in before.judgments
    ]
    assert next(read_verdicts(path)).group == asked


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("I would say \\boxed{9, 9}, but", False),
        ("\\boxed{9, 9}?</think> \\boxed{8, 3}", True),
        ("<think>\\boxed{9, 9}?</think> \\boxed{8, 3}", True),
        ("about <think>: \\boxed{9, 9}?</think> \\boxed{8, 3}", True),
    ],
)
def test_a_thought_that_the_template_opened_and_nobody_closed_is_no_answer(
    tmp_path: Path, text: str, readable: bool
) -> None:
    asked, path = Group.of("q", ["a", "b"]), tmp_path / "r.jsonl"
    with grm([Draw(text, "stop", opened=True)], record=path, k=2) as live:
        before = live.score(asked)
    assert before.scored == readable
    assert set(before.failures_by_reason) == (set() if readable else {Reason.ONLY_THINKING})
    with GRM(engine={"name": "replay", "path": str(path)}, k=2) as again:
        assert again.score(asked).rewards == before.rewards
