"""What OpenRLHF sends, and which responses and groups it becomes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from pydantic import ValidationError

from grm_plugin.errors import InputError
from grm_plugin.hosts.messages import Reader
from grm_plugin.prompts.control import END_TOKENS
from grm_plugin.serving.callers import Caller
from grm_plugin.serving.gathering import Arrival
from grm_plugin.serving.protocols.openrlhf import RewardCall, arrivals, response_of
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.types import Message

PROMPT = "<|im_start|>user\nName three trees.<|im_end|>\n<|im_start|>assistant\n"
MARKS = ServingSettings().end_marks


def read(call: RewardCall, settings: ServingSettings) -> list[Arrival]:
    return arrivals(call, Caller("trainer", "1"), settings, Reader(settings.thinking))


def call(*texts: str, **more: Any) -> RewardCall:
    """A call as OpenRLHF makes it, of one sample or several."""
    given = {"prompts": [PROMPT] * len(texts), "labels": [None] * len(texts), **more}
    return RewardCall(query=[PROMPT + text for text in texts], **given)


@pytest.mark.parametrize(
    ("query", "response"),
    [
        (PROMPT + "oak, ash, elm<|im_end|>", "oak, ash, elm"),
        (PROMPT + "oak</s><|im_end|>\n", "oak"),
        (PROMPT + "a </s> inside", "a </s> inside"),
        (PROMPT, ""),
        (PROMPT.replace("\n", " ") + "oak", "oak"),
        (PROMPT[7:] + "oak", "oak"),
    ],
    ids=["plain", "two marks", "a mark inside", "empty", "other white space", "a cut prompt"],
)
def test_the_response_is_what_stands_behind_the_prompt(query: str, response: str) -> None:
    assert response_of(query, PROMPT, MARKS) == response


@pytest.mark.parametrize("mark", END_TOKENS)
def test_the_end_mark_of_every_known_family_is_cut_off(mark: str) -> None:
    assert response_of(f"{PROMPT}oak{mark}", PROMPT, MARKS) == "oak"


def test_a_query_that_does_not_begin_with_its_prompt_is_refused() -> None:
    with pytest.raises(InputError, match=r"begins with its prompt '<\|im_start.*got 'something"):
        response_of("something else, long enough to be looked for", PROMPT, MARKS)


def test_texts_made_to_take_long_take_no_time() -> None:
    many = 300_000
    assert response_of(PROMPT + "a" + "</s> " * many, PROMPT, MARKS) == "a"
    with pytest.raises(InputError):
        response_of("a" * many + "c", "a" * many + "b", MARKS)


def groups_of(asked: RewardCall, **settings: Any) -> list[tuple[object, int]]:
    found = read(asked, ServingSettings(**settings))
    return [(one.group, one.size) for one in found]


def test_ids_say_which_group_a_sample_is_of() -> None:
    asked = call("a", "b", group_ids=["x", "y"], group_sizes=[4, 8], sample_indices=[3, 0])
    assert groups_of(asked) == [(("id", "x"), 4), (("id", "y"), 8)]
    assert [one.index for one in read(asked, ServingSettings())] == [3, 0]


def test_without_ids_a_set_group_size_puts_equal_prompts_and_labels_together() -> None:
    (first,) = groups_of(call("a", labels=["x"]), group_size=8)
    (second,) = groups_of(call("b", labels=["x"]), group_size=8)
    (other,) = groups_of(call("b", labels=["y"]), group_size=8)
    assert first == second
    assert first != other
    assert first[1] == 8


def test_without_ids_and_group_size_the_equal_prompts_of_one_call_are_a_group() -> None:
    here, there = groups_of(call("a", "b")), groups_of(call("a", "b"))
    assert here[0] == here[1]
    assert here[0][1] == 2
    assert here[0] != there[0]


def test_labels_are_ignored_unless_they_are_said_to_be_references() -> None:
    asked = call("a", labels=["the answer"])
    assert read(asked, ServingSettings())[0].reference is None
    assert read(asked, ServingSettings(label="reference"))[0].reference == "the answer"


@pytest.mark.parametrize("label", [None, math.nan])
def test_a_label_that_is_missing_is_no_reference(label: Any) -> None:
    assert read(call("a", labels=[label]), ServingSettings(label="reference"))[0].reference is None


def test_a_label_that_is_a_number_is_a_reference() -> None:
    found = read(call("a", labels=[42.0]), ServingSettings(label="reference"))
    assert found[0].reference == "42"


def test_a_label_that_can_be_no_reference_is_refused() -> None:
    with pytest.raises(InputError, match="label is set to reference: expected a text or nothing"):
        read(call("a", labels=[{"role": "user"}]), ServingSettings(label="reference"))


CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Three trees?"}]


@pytest.mark.parametrize(
    ("label", "asked"),
    [
        (CHAT, (Message("system", "Be brief."), Message("user", "Three trees?"))),
        ("Three trees?", (Message("user", "Three trees?"),)),
    ],
    ids=["messages", "a text"],
)
def test_a_label_can_be_what_was_asked_without_the_chat_template(
    label: Any, asked: tuple[Message, ...]
) -> None:
    found = read(call("oak", labels=[label]), ServingSettings(label="conversation"))
    assert [one.conversation for one in found] == [asked]


@pytest.mark.parametrize(
    ("label", "telling"),
    [
        (None, "expected what was asked, since label is set to conversation, got nothing"),
        ("", "name the prompts' own column as OpenRLHF's label key"),
        ([{"role": "user"}, 7], "labels.0.0.content: expected content or tool_calls"),
        (json.loads("[" * 50 + "]" * 50), "labels: expected at most 32 levels"),
    ],
)
def test_a_label_that_can_be_no_conversation_is_refused(label: Any, telling: str) -> None:
    with pytest.raises(InputError, match=telling):
        read(call("oak", labels=[label]), ServingSettings(label="conversation"))


def test_thinking_is_not_shown_to_the_judge_unless_it_is_wanted() -> None:
    thought = call("<think>Elm?</think>\n\noak<|im_end|>")
    assert read(thought, ServingSettings())[0].response == "oak"
    kept = read(thought, ServingSettings(thinking="keep"))[0].response
    assert kept == "<think>Elm?</think>\n\noak"


@pytest.mark.parametrize(
    ("more", "telling"),
    [
        ({"prompts": []}, "prompts: expected one for each of 1 queries, got 0"),
        ({"group_ids": ["x"]}, "expected group_ids and group_sizes together"),
        ({"sample_indices": [0]}, "expected group_ids and group_sizes beside them"),
        (
            {"group_ids": ["x"], "group_sizes": [2], "sample_indices": [2]},
            "0 <= sample index < group size, got 2 and 2",
        ),
        ({"group": "x"}, "group"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(more: dict[str, Any], telling: str) -> None:
    with pytest.raises(ValidationError, match=telling):
        call("a", **more)
