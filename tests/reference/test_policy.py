"""The prompts of the reference policy, and the checker as TRL sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.reference import policy
from grm_plugin.reference.tasks.words import words

LIMIT = {"kind": "limit", "words": [], "numbers": [2]}
FIRST = {"kind": "first", "words": ["seaweed"], "numbers": []}


def test_prompts_are_distinct_and_a_function_of_the_seed() -> None:
    rows = list(policy.prompt_rows(200, seed=1))
    assert rows == list(policy.prompt_rows(200, seed=1))
    assert rows != list(policy.prompt_rows(200, seed=2))
    assert len({row["prompt"][0]["content"] for row in rows}) == 200


def test_prompts_of_the_training_split_have_no_held_out_word() -> None:
    text = json.dumps(list(policy.prompt_rows(500, seed=1)))
    assert not [word for word in words("heldout") if f'"{word}"' in text]


def test_the_command_writes_one_row_a_line_without_answers(tmp_path: Path) -> None:
    policy.main(["prompts", str(tmp_path / "made"), "--number", "20", "--seed", "3"])
    lines = (tmp_path / "made" / "train.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == list(policy.prompt_rows(20, seed=3))
    assert {key for line in lines for key in json.loads(line)} == {"prompt", "requirements"}


@pytest.mark.parametrize("conversational", [True, False])
def test_the_checker_reads_texts_and_conversations(conversational: bool) -> None:
    texts = ["seaweed", "seaweed, sunrise, milkman", "a, b, c"]
    given: list[Any] = [[{"role": "assistant", "content": text}] for text in texts]
    completions = given if conversational else texts
    assert policy.true_quality(completions, [[LIMIT, FIRST]] * 3, step=1) == [1.0, 0.5, 0.0]


def test_the_checker_reads_columns_as_arrow_gives_them_back() -> None:
    demands = [{**LIMIT, "words": None}, {**FIRST, "numbers": None}]
    assert policy.true_quality(["seaweed"], [demands]) == [1.0]


def test_watching_logs_the_mean_and_rewards_nothing() -> None:
    seen: list[tuple[str, float]] = []
    rewards = policy.watch_true_quality(
        ["seaweed", "a, b, c"], [[LIMIT]] * 2, log_metric=lambda *one: seen.append(one)
    )
    assert rewards == [None, None]
    assert seen == [("true_quality", 0.5)]
