from __future__ import annotations

from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.hosts.messages import conversation, response
from grm_plugin.types import Message

SEARCH = {"type": "function", "function": {"name": "search", "arguments": {"q": "moon"}}}
USED_A_TOOL: list[dict[str, Any]] = [
    {"role": "assistant", "content": "<think>look it up</think>", "tool_calls": [SEARCH]},
    {"role": "tool", "name": "search", "content": "a rock"},
    {"role": "assistant", "content": "It is a rock."},
]


def test_a_string_prompt_is_one_user_turn() -> None:
    assert conversation("2 + 2?", "drop") == (Message("user", "2 + 2?"),)


@pytest.mark.parametrize("prompt", [7, ["2 + 2?"], [{"content": "2 + 2?"}], {"role": "user"}])
def test_what_is_no_prompt_is_refused_and_shown(prompt: Any) -> None:
    with pytest.raises(InputError, match="list of messages with role and content, got"):
        conversation(prompt, "drop")


def test_chat_turns_keep_their_roles_and_drop_past_thinking() -> None:
    chat = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "what does <think> mean?"},
        {"role": "assistant", "content": "<think>hm</think>a tag"},
        {"role": "user", "content": "thanks"},
    ]
    roles = [(turn.role, turn.content) for turn in conversation(chat, "drop")]
    assert roles == [
        ("system", "be brief"),
        ("user", "what does <think> mean?"),
        ("assistant", "a tag"),
        ("user", "thanks"),
    ]
    assert conversation(chat, "keep")[2].content == "<think>hm</think>a tag"


@pytest.mark.parametrize(
    ("completion", "seen"),
    [
        ("plain", "plain"),
        ("  indented code", "  indented code"),
        ("<think>a</think>\n\n42", "42"),
        ("<think>a</think>b<think>c</think>d", "b<think>c</think>d"),
        ("a</think>42", "42"),
        ("<thinking>a</thinking>42", "42"),
        ("<think>never ends", ""),
        ("<think>a</think>", ""),
        ("", ""),
    ],
)
def test_only_the_answer_is_left_when_thinking_is_dropped(completion: str, seen: str) -> None:
    assert response(completion, "p", "drop") == seen
    assert response([{"role": "assistant", "content": completion}], "p", "drop") == seen
    assert response(completion, "p", "keep") == completion


def test_thinking_that_the_prompt_opened_and_nobody_closed_is_an_empty_answer() -> None:
    assert response("still thinking", "question <think>\n", "drop") == ""
    assert response("done</think>42", "question <think>\n", "drop") == "42"


def test_tool_calls_and_results_are_lines_of_their_own() -> None:
    assert response(USED_A_TOOL, "p", "drop").splitlines() == [
        '[call of search] {"q": "moon"}',
        "[result of search] a rock",
        "It is a rock.",
    ]
    assert response(USED_A_TOOL, "p", "keep").startswith("<think>look it up</think>\n[call")


def test_turns_of_an_environment_are_labelled() -> None:
    turns = [{"role": "assistant", "content": "go"}, {"role": "user", "content": "you fell"}]
    assert response(turns, "p", "drop") == "go\n[user] you fell"


def test_parts_of_a_message_are_joined_and_images_are_named() -> None:
    parts = [{"type": "image"}, {"type": "text", "text": "what is it?"}, "now"]
    chat = [{"role": "user", "content": parts}]
    assert conversation(chat, "drop")[0].content == "[image]\nwhat is it?\nnow"


def test_reasoning_that_a_chat_template_took_out_is_shown_only_when_kept() -> None:
    turn = [{"role": "assistant", "content": "42", "reasoning_content": "6 * 7"}]
    assert response(turn, "p", "drop") == "42"
    assert response(turn, "p", "keep") == "<think>6 * 7</think>\n42"


def test_content_that_is_missing_is_empty() -> None:
    assert response([{"role": "assistant", "content": None}], "p", "drop") == ""
    assert response([], "p", "drop") == ""
