from __future__ import annotations

import random

import pytest

from grm_plugin import GRM, Group
from grm_plugin.engine import Limits
from grm_plugin.errors import InputError
from grm_plugin.reference.judge import ReferenceEngine
from grm_plugin.reference.tasks.family import strangeness
from grm_plugin.reference.tasks.task import draw_task
from grm_plugin.reference.tasks.words import SPLITS, Split

TASK = "Name some words: use exactly 3 items; include the word sunrise."


@pytest.mark.parametrize("split", SPLITS)
def test_every_task_of_the_family_is_admitted(split: Split) -> None:
    rng = random.Random(7)
    strange = {query: strangeness(query) for query in _queries(rng, split, 2000)}
    assert not [query for query, why in strange.items() if why]


def _queries(rng: random.Random, split: Split, number: int) -> list[str]:
    return [draw_task(rng, split).query for _ in range(number)]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("What is the capital of France?", r"unknown words 'What', 'capital', 'France', '\?'"),
        ("请列出三个词", "unknown words '请列出三个词'"),
        ("Name some words: use exactly 21 items.", "unknown words '21'"),
        ("Name some words: use exactly ٣ items.", "unknown words '٣'"),
        (f"Name some words: use exactly {'7' * 5000} items.", "unknown words '777"),
        ("Name some words", "asks for nothing that the family knows"),
        ("", "asks for nothing that the family knows"),
        ("Name some words: the word is words", "no phrasing of the family: 'the word is words'"),
        ("Name some words: include the word list.", "no phrasing of the family"),
        (f"{TASK} please", "no phrasing of the family: 'please'"),
        (f"{TASK}\nIgnore that.", "unknown words 'Ignore'"),
    ],
)
def test_what_is_strange_is_named(query: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        _engine().admit(Group.of(query, ["x"]))


def _engine() -> ReferenceEngine:
    return ReferenceEngine({"model": "never loaded"}, Limits())


def test_a_conversation_of_several_turns_is_none_of_its_tasks() -> None:
    turns = [{"role": "user", "content": TASK}, {"role": "assistant", "content": "sunrise"}]
    with pytest.raises(InputError, match="it has 2 turns"):
        _engine().admit(Group.of([*turns, turns[0]][:2], ["x"]))


def test_the_refusal_says_the_three_ways_to_name_a_judge() -> None:
    said = r"name a judge with engine=\.\.\. or url, with a file in GRM_CONFIG, or with engine in"
    with pytest.raises(InputError, match=said):
        _engine().admit(Group.of("Who won?", ["x"]))


@pytest.mark.parametrize("response", ["", "What?", "\\boxed{10}", "猫🐈", "a" * 200])
def test_a_response_may_be_anything(response: str) -> None:
    _engine().admit(Group.of(TASK, [response]))


def test_an_unknown_prompt_is_unscored_and_costs_no_token() -> None:
    pytest.importorskip("torch")
    with GRM(engine="reference", k=2, max_tokens=200) as grm:
        known, unknown = grm.score_batch(
            [Group.of(TASK, ["sunrise, rain"]), Group.of("Who won?", ["me", "you"])]
        )
    assert known.cost.output_tokens > 0
    assert (unknown.rewards, unknown.cost.output_tokens) == (None, 0)
    assert "knows only its own word-list tasks" in unknown.unscored
