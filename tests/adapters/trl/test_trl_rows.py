from __future__ import annotations

from typing import Any

import pytest

from grm_plugin.errors import ConfigError, InputError
from grm_plugin.hosts.messages import Reader
from grm_plugin.options import read_options
from grm_trl.grouping import Batch
from grm_trl.options import Columns, TRLOptions
from grm_trl.rows import Row, read_rows


def read(call: dict[str, Any], **columns: str) -> list[Row]:
    return rows(["a", "b"], ["x", "y"], call, Columns(**columns))


def rows(
    prompts: list[Any],
    completions: list[Any],
    call: dict[str, Any] | None = None,
    columns: Columns | None = None,
    **reading: Any,
) -> list[Row]:
    reader = Reader(**reading)
    return read_rows(prompts, completions, call or {}, columns=columns or Columns(), reader=reader)


def test_columns_become_reference_principles_evidence_and_id() -> None:
    call = {"answer": ["4", None], "rubric": [["be brief", "be kind"], "be true"]}
    call |= {"tests": ["passed", None], "n": [7, 8]}
    first, second = read(call, reference="answer", principles="rubric", evidence="tests", id="n")
    assert (first.reference, first.principles, first.id) == ("4", ("be brief", "be kind"), "7")
    assert (second.reference, second.principles, second.evidence) == (None, ("be true",), None)
    assert first.evidence == "passed"


def test_columns_nobody_asked_for_are_not_shown() -> None:
    assert read({"answer": ["4", "5"]})[0].reference is None


def test_columns_may_be_kept_with_the_verdict() -> None:
    call = {"level": [1, float("nan")], "tags": [["a"], []], "raw": [{1, 2}, None]}
    first, second = rows(["a", "b"], ["x", "y"], call, Columns(metadata=("level", "tags")))
    assert (first.metadata, second.metadata) == (
        {"level": 1, "tags": ["a"]},
        {"level": None, "tags": []},
    )
    (group, _) = Batch.of([[first, second]], metadata={"step": 3}).groups
    assert group.metadata == {"level": 1, "tags": ["a"], "step": 3}
    with pytest.raises(InputError, match=r"raw\.0: expected a value that JSON can tell"):
        rows(["a", "b"], ["x", "y"], call, Columns(metadata=("raw",)))


def test_a_missing_column_is_named_with_those_there_are() -> None:
    call = {"solution": ["4", "5"], "level": [1, 2], "trainer_state": None, "log_extra": None}
    with pytest.raises(InputError, match=r"reference: .* no column 'answer'; it has: level, solu"):
        read(call, reference="answer")


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(InputError, match=r"column 'answer': expected 2 values, one per completi"):
        read({"answer": ["4"]}, reference="answer")


def test_prompts_of_another_number_are_refused() -> None:
    with pytest.raises(InputError, match="prompts: expected 2, one per completion, got 1"):
        rows(["a"], ["x", "y"])


def test_a_value_that_is_no_text_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"column 'answer', row 0: expected a text or nothing, .*{"
    ):
        read({"answer": [{"value": 4}, None]}, reference="answer")


def test_an_unknown_part_names_its_neighbour() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'columns.referense'"):
        read_options(TRLOptions, "adapter 'trl'", {"columns": {"referense": "answer"}})


def test_a_value_that_is_missing_in_a_number_column_is_none() -> None:
    nan = float("nan")
    call = {"answer": [nan, 4.5], "rubric": [[nan, "be brief"], nan], "tests": [nan, "passed"]}
    call |= {"n": [nan, 8]}
    first, second = read(call, reference="answer", principles="rubric", evidence="tests", id="n")
    assert (first.reference, first.principles, first.evidence) == (None, ("be brief",), None)
    assert (first.id, second.reference, second.principles) == ("", "4.5", ())


def about(*parts: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "Which animal?"}]}]


PICTURES = ["cat.png", "dog.png"]
AS_PARTS = [about({"type": "image", "image": picture}) for picture in PICTURES]
WITH_PLACES = [about({"type": "image"})] * 2


@pytest.mark.parametrize(
    ("prompts", "call"),
    [
        (AS_PARTS, {}),
        (AS_PARTS, {"images": [[picture] for picture in PICTURES]}),
        (["Which animal?"] * 2, {"image": PICTURES}),
        ([about()] * 2, {"images": [[picture] for picture in PICTURES]}),
        (WITH_PLACES, {"image": PICTURES}),
    ],
    ids=["parts", "parts and column", "text and column", "chat and column", "places and column"],
)
def test_two_pictures_with_one_question_are_two_prompts(
    prompts: list[Any], call: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=r"a part 'image' that the judge can not see"):
        rows(prompts, ["x", "y"], call)
    cat, dog = rows(prompts, ["x", "y"], call, unseen="tell")
    again, _ = rows(prompts, ["x", "y"], call, unseen="tell")
    assert cat.key == again.key != dog.key
    assert "Which animal?" in cat.conversation[-1].content
    assert cat.conversation[-1].content.count("not shown]") == 1


def test_rows_without_a_picture_in_their_column_are_texts() -> None:
    first, second = rows(["a", "b"], ["x", "y"], {"image": [None, None], "images": [[], None]})
    assert (first.conversation[0].content, second.conversation[0].content) == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "They write <think> before a thought and </think> after it. Keep both tags.",
        "The tag is <think> and it must come first.",
    ],
)
def test_an_answer_about_the_marks_of_thinking_is_shown_whole(text: str) -> None:
    (row,) = rows(["Which tags mark a thought?"], [text])
    assert row.response == text


CUT = "Let me think. Perhaps 'moon' and"


@pytest.mark.parametrize(
    ("prompt", "completion", "thinking", "shown"),
    [
        ("Rhyme!", "<think>sun?</think>Moon, June.", "drop", "Moon, June."),
        ("Rhyme!", "<think>sun?</think>Moon, June.", "keep", "<think>sun?</think>Moon, June."),
        ("assistant: <think>\n", "sun?</think>Moon, June.", "drop", "Moon, June."),
        ("assistant: <think>\n", CUT, "drop", ""),
        ("Rhyme!", CUT, "drop", CUT),
        ("Rhyme!", CUT, "closed", ""),
        ([{"role": "user", "content": "Rhyme!"}], [{"role": "assistant", "content": CUT}], "closed",
         ""),
        ("Rhyme!", "analysisThe user wants.assistantfinalMoon, June.", "drop", "Moon, June."),
    ],
)  # fmt: skip
def test_only_thinking_that_opens_a_completion_is_dropped_and_may_have_to_be_closed(
    prompt: Any, completion: Any, thinking: Any, shown: str
) -> None:
    (row,) = rows([prompt], [completion], thinking=thinking)
    assert row.response == shown


CHAT = [{"role": "user", "content": "Rhyme!"}]


@pytest.mark.parametrize(
    ("prompt", "turn", "shown"),
    [
        (CHAT, {"content": "sun?</think>Moon, June."}, "Moon, June."),
        (CHAT, {"content": CUT}, ""),
        (CHAT, {"content": "Moon, June.", "reasoning_content": "sun?"}, "Moon, June."),
        ([*CHAT, {"role": "assistant", "content": "A rhyme: "}], {"content": "moon"}, "moon"),
        ("Rhyme!", {"content": "moon"}, "moon"),
    ],
    ids=["closed", "cut", "parsed", "goes on", "text prompt"],
)
def test_the_chat_template_of_the_policy_may_have_opened_the_thinking(
    prompt: Any, turn: dict[str, Any], shown: str
) -> None:
    completion = [{"role": "assistant", **turn}]
    (row,) = read_rows(
        [prompt], [completion], {}, columns=Columns(), reader=Reader(), opening="bot: <think>\n"
    )
    assert row.response == shown
