"""A pair without a prompt is taken apart as TRL's preference trainers do it."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

pytest.importorskip("trl")

from trl.data_utils import maybe_extract_prompt

from grm_plugin.errors import InputError
from grm_plugin.hosts.rows import group_of

WORDS = st.lists(st.sampled_from(["the", "sky", "is", "blue", "black", ""]), max_size=4)
TEXTS = WORDS.map(" ".join)
SHARED = st.tuples(TEXTS, TEXTS, TEXTS).map(
    lambda parts: (parts[0] + parts[1], parts[0] + parts[2])
)
TURNS = st.sampled_from(
    [
        [{"role": "user", "content": "a sky?"}],
        [{"role": "user", "content": "a sky?"}, {"role": "assistant", "content": "Which?"}],
        [{"role": "system", "content": "Be brief."}],
    ]
)
PROMPTS = st.lists(TURNS, min_size=1, max_size=2).map(lambda parts: [*chain(*parts)])


def ours(row: dict[str, Any]) -> tuple[Any, ...]:
    group = group_of(row)
    return [(turn.role, turn.content) for turn in group.conversation], *group.responses


@given(SHARED)
@example(("the  ", "the  the"))  # one goes on after the other
@example(("the ", "the sky"))
def test_texts_are_divided_where_trl_divides_them(pair: tuple[str, str]) -> None:
    chosen, rejected = pair
    row = {"chosen": chosen, "rejected": rejected}
    try:
        found = ours(row)
    except InputError:  # nothing shared, or the same
        assume(False)
    theirs = maybe_extract_prompt(dict(row))
    assert found == ([("user", theirs["prompt"])], theirs["chosen"], theirs["rejected"])


@given(PROMPTS, st.booleans(), st.booleans())
def test_messages_are_divided_where_trl_divides_them(
    prompt: list[dict[str, str]], as_text: bool, beside: bool
) -> None:
    answers = [[{"role": "assistant", "content": text}] for text in ("blue", "black")]
    assume(prompt[-1]["role"] == "user")
    row: dict[str, Any] = {"chosen": prompt + answers[0], "rejected": prompt + answers[1]}
    if beside:  # as data sets have it that tell the prompt twice
        row["prompt"] = prompt[-1]["content"]
    if as_text:
        row = {"prompt": "a sky?", "chosen": answers[0], "rejected": answers[1]}
        assert ours(row) == ([("user", "a sky?")], "blue", "black")
        return
    theirs = maybe_extract_prompt(dict(row))
    asked = [(turn["role"], turn["content"]) for turn in theirs["prompt"]]
    assert ours(row) == (asked, "blue", "black")
