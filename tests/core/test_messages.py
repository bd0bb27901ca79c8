from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.hosts.messages import Reader
from grm_plugin.types import Message

SEARCH = {"type": "function", "function": {"name": "search", "arguments": {"q": "moon"}}}
USED_A_TOOL: list[dict[str, Any]] = [
    {"role": "assistant", "content": "<think>look it up</think>", "tool_calls": [SEARCH]},
    {"role": "tool", "name": "search", "content": "a rock"},
    {"role": "assistant", "content": "It is a rock."},
]


def test_a_string_prompt_is_one_user_turn() -> None:
    assert Reader().conversation("2 + 2?") == (Message("user", "2 + 2?"),)


@pytest.mark.parametrize("prompt", [7, ["2 + 2?"], {"role": "user"}])
def test_what_is_no_prompt_is_refused_and_shown(prompt: Any) -> None:
    with pytest.raises(InputError, match="list of messages with role and content, got"):
        Reader().conversation(prompt)


def test_chat_turns_keep_their_roles_and_drop_past_thinking() -> None:
    chat = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "what does <think> mean?"},
        {"role": "assistant", "content": "<think>hm</think>a tag"},
        {"role": "user", "content": "thanks"},
    ]
    roles = [(turn.role, turn.content) for turn in Reader().conversation(chat)]
    assert roles == [
        ("system", "be brief"),
        ("user", "what does <think> mean?"),
        ("assistant", "a tag"),
        ("user", "thanks"),
    ]
    assert Reader("keep").conversation(chat)[2].content == "<think>hm</think>a tag"


@pytest.mark.parametrize(
    ("completion", "seen"),
    [
        ("plain", "plain"),
        ("  indented code", "  indented code"),
        ("<think>a</think>\n\n42", "42"),
        ("<think>a</think>b<think>c</think>d", "b<think>c</think>d"),
        ("The tag is <think> and it comes first.", "The tag is <think> and it comes first."),
        ("Write <think> before and </think> after.", "Write <think> before and </think> after."),
        ("[THINK]a[/THINK]42", "42"),
        ("◁think▷a◁/think▷42", "42"),
        ("analysisThe user wants a rhyme.assistantfinalMoon, June.", "Moon, June."),
        ("a</think>42", "42"),
        ("<thinking>a</thinking>42", "42"),
        ("<think>never ends", ""),
        ("<think>a</think>", ""),
        ("", ""),
    ],
)
def test_only_the_answer_is_left_when_thinking_is_dropped(completion: str, seen: str) -> None:
    assert Reader().response(completion, "p") == seen
    assert Reader().response([{"role": "assistant", "content": completion}], "p") == seen
    assert Reader("keep").response(completion, "p") == completion


def test_thinking_that_the_prompt_opened_and_nobody_closed_is_an_empty_answer() -> None:
    assert Reader().response("still thinking", "question <think>\n") == ""
    assert Reader().response("done</think>42", "question <think>\n") == "42"


def test_tool_calls_and_results_are_lines_of_their_own() -> None:
    assert Reader().response(USED_A_TOOL, "p").splitlines() == [
        '[call of search] {"q": "moon"}',
        "[result of search] a rock",
        "It is a rock.",
    ]
    assert Reader("keep").response(USED_A_TOOL, "p").startswith("<think>look it up</think>\n[call")


def test_turns_of_an_environment_are_labelled() -> None:
    turns = [{"role": "assistant", "content": "go"}, {"role": "user", "content": "you fell"}]
    assert Reader().response(turns, "p") == "go\n[user] you fell"


@pytest.mark.parametrize(
    "prompt", ["user <think>", [{"role": "assistant", "content": "<think>\n"}]]
)
def test_a_prompt_that_opens_thinking_opens_it_for_messages_too(prompt: Any) -> None:
    assert Reader().response([{"role": "assistant", "content": "done</think>42"}], prompt) == "42"
    assert Reader().response([{"role": "assistant", "content": "still thinking"}], prompt) == ""


CUT = "Let me think. The user wants a rhyme. Perhaps 'moon' and"


@pytest.mark.parametrize(
    ("turn", "seen"),
    [
        ({"content": CUT}, ""),
        ({"content": f"{CUT}</think>June"}, "June"),
        ({"content": "<think>moon</think>June"}, "June"),
        ({"content": "June", "reasoning_content": "moon"}, "June"),
    ],
)
def test_when_thinking_must_be_closed_a_cut_thought_is_no_answer(
    turn: dict[str, str], seen: str
) -> None:
    reader = Reader("closed")
    assert (
        reader.response([{"role": "assistant", **turn}], [{"role": "user", "content": "q"}]) == seen
    )
    past = [{"role": "assistant", "content": "no thought in a past turn"}]
    assert reader.conversation(past)[0].content == past[0]["content"]


def test_marks_of_a_family_that_we_do_not_know_can_be_told() -> None:
    reader = Reader(marks=(("<plan>", "</plan>"),))
    assert reader.response("<plan>a</plan>42") == "42"


def test_parts_of_a_message_are_joined() -> None:
    parts = [{"type": "text", "text": "what is it?"}, "now", {"type": "refusal", "refusal": "no"}]
    chat = [{"role": "user", "content": parts}]
    assert Reader().conversation(chat)[0].content == "what is it?\nnow\nno"


THOUGHT = [{"type": "thinking", "thinking": "6 * 7"}, {"type": "text", "text": "42"}]


def test_a_part_that_is_thinking_is_dropped_or_kept() -> None:
    turn = [{"role": "assistant", "content": THOUGHT}]
    assert Reader().response(turn, "p") == "42"
    assert Reader("keep").response(turn, "p") == "<think>6 * 7</think>\n42"


def about(picture: Any, kind: str = "image") -> list[dict[str, Any]]:
    """A question about a picture, as a vision trainer asks it."""
    parts = [{"type": kind, kind: picture}, {"type": "text", "text": "Which animal?"}]
    return [{"role": "user", "content": parts}]


def test_what_the_judge_can_not_see_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="a part 'image' that the judge can not see; with `unseen"):
        Reader().conversation(about("cat.png"))
    with pytest.raises(InputError, match="a part 'audio'"):
        Reader().response([{"role": "assistant", "content": [{"type": "input_audio"}]}])


def test_what_the_judge_can_not_see_is_told_once_where_that_is_wanted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = Reader(unseen="tell")
    for picture in ("cat.png", "dog.png"):
        (turn,) = reader.conversation(about(picture))
        assert turn.content.endswith(", not shown]\nWhich animal?")
    assert caplog.messages == ["the judge can not see parts of kind 'image'; it reads the text"]


def test_kinds_that_a_caller_invents_fill_neither_the_log_nor_the_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = Reader(unseen="tell")
    for n in range(1000):
        reader.conversation([{"role": "user", "content": [{"type": f"kind\n{n}" + "x" * 500}]}])
    assert 0 < len(caplog.messages) < 100
    assert all(len(one) < 200 and one.isprintable() for one in caplog.messages)


class Picture:
    """Pixels, as PIL has them."""

    mode, size = "L", (2, 1)

    def __init__(self, pixels: bytes) -> None:
        self._pixels = pixels

    def tobytes(self) -> bytes:
        return self._pixels


class Tensor:
    """Numbers, as torch has them: they say little of themselves."""

    def __init__(self, numbers: bytes) -> None:
        self._numbers = numbers

    def __repr__(self) -> str:
        return "tensor([0, ..., 0])"

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def __array__(self) -> Picture:
        return Picture(self._numbers)


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("cat.png", "cat.png", "dog.png"),
        (b"cat", bytearray(b"cat"), b"dog"),
        (Picture(b"ab"), Picture(b"ab"), Picture(b"ba")),
        (Tensor(b"ab"), Tensor(b"ab"), Tensor(b"ba")),
        ({"url": "http://x/cat", "detail": None}, {"url": "http://x/cat"}, {"url": "http://x/dog"}),
        (
            {"bytes": b"ab", "path": "c"},
            {"path": "c", "bytes": b"ab"},
            {"bytes": b"a", "path": "bc"},
        ),
        (Path("cat.png"), Path("cat.png"), Path("dog.png")),
    ],
    ids=["address", "bytes", "pixels", "numbers", "mapping", "dataset", "path"],
)
def test_prompts_with_other_pictures_are_other_prompts(one: Any, same: Any, other: Any) -> None:
    reader = Reader(unseen="tell")
    assert reader.conversation(about(one)) == reader.conversation(about(same))
    assert reader.conversation(about(one)) != reader.conversation(about(other))


def test_a_completion_that_is_neither_text_nor_messages_is_refused_and_shown() -> None:
    with pytest.raises(
        InputError, match=r"completion\.0: expected a message of a list of messages"
    ):
        Reader().response([7])


def test_reasoning_that_a_chat_template_took_out_is_shown_only_when_kept() -> None:
    turn = [{"role": "assistant", "content": "42", "reasoning_content": "6 * 7"}]
    assert Reader().response(turn, "p") == "42"
    assert Reader("keep").response(turn, "p") == "<think>6 * 7</think>\n42"


def test_content_that_is_null_is_empty_and_no_messages_are_no_completion() -> None:
    assert Reader().response([{"role": "assistant", "content": None}], "p") == ""
    with pytest.raises(InputError, match=r"completion: expected at least one message, got '\[\]'"):
        Reader().response([], "p")


def test_images_that_come_beside_the_messages_are_refused_or_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = (Message("system", "be brief"), Message("user", "Which animal?"))
    assert Reader().beside(asked, "image", None) == Reader().beside(asked, "image", []) == asked
    with pytest.raises(InputError, match="a part 'image'"):
        Reader().beside(asked, "image", ["cat.png"])
    told = Reader(unseen="tell")
    first, last = told.beside(asked, "image", "cat.png")
    assert (first, last.content[-13:]) == (asked[0], "Which animal?")
    assert told.beside(asked, "image", "dog.png")[1] != last
    assert len(caplog.messages) == 1
