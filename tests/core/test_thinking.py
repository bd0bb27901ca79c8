"""What is thinking and what is answer: every family's marks, for judges and for policies."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError
from grm_plugin.thinking import Thinking

PAIRS = {
    "deepseek": ("<think>", "</think>"),
    "blank in the tag": ("<think >", "</think >"),
    "thinking": ("<thinking>", "</thinking>"),
    "capitals": ("<THINK>", "</Think>"),
    "thought": ("<thought>", "</thought>"),
    "reasoning": ("<reasoning>", "</reasoning>"),
    "seed": ("<seed:think>", "</seed:think>"),
    "mistral": ("[THINK]", "[/THINK]"),
    "kimi": ("◁think▷", "◁/think▷"),
    "cohere": ("<|START_THINKING|>", "<|END_THINKING|>"),
    "sky": ("<|begin_of_thought|>", "<|end_of_thought|>"),
    "gemma": ("<|channel>thought\n", "<channel|>"),
    "harmony": (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    "harmony from its start": (
        "<|start|>assistant<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    ),
    "stripped harmony": ("analysis", "assistantfinal"),
}
TAGGED = {name: pair for name, pair in PAIRS.items() if name != "stripped harmony"}
thoughts = st.text(alphabet="abc .\n\\{}?", max_size=30).map(lambda text: "W" + text)
plain = st.text(alphabet="xyz 1,\n\\{}", max_size=30)


def answer(text: str, *, opened: bool = False) -> str:
    return Thinking().answer(text, opened=opened)


@pytest.mark.parametrize("name", PAIRS)
@given(thought=thoughts, rest=plain)
def test_a_block_that_opens_the_text_is_thinking(name: str, thought: str, rest: str) -> None:
    opens, closes = PAIRS[name]
    assert answer(f"{opens}{thought}{closes}{rest}") == rest
    assert answer(f"\n {opens}{thought}{closes}{rest}") == rest


@pytest.mark.parametrize("name", PAIRS)
def test_a_block_that_opens_the_text_and_never_closes_leaves_no_answer(name: str) -> None:
    assert answer(f"{PAIRS[name][0]}The user wants a rhyme. \\boxed{{9, 9}}") == ""


@pytest.mark.parametrize("name", PAIRS)
def test_blocks_that_follow_each_other_are_all_thinking(name: str) -> None:
    opens, closes = PAIRS[name]
    assert answer(f"{opens}One{closes}\n\n{opens}Two{closes} x") == " x"
    assert answer(f"{opens}One{closes}\n{opens}Two, cut") == ""


@pytest.mark.parametrize("name", TAGGED)
def test_a_closing_mark_alone_ends_what_the_template_opened(name: str) -> None:
    text = f"A first idea.{TAGGED[name][1]}Moon, June."
    assert answer(text) == answer(text, opened=True) == "Moon, June."


@pytest.mark.parametrize("name", TAGGED)
def test_marks_inside_an_honest_answer_are_text(name: str) -> None:
    opens, closes = TAGGED[name]
    for text in (
        f"They write {opens} before a thought and {closes} after it. Keep both.",
        f"The tag is {opens} and it must come first.",
        f'First comes `{opens}`, then "{closes}".',
        f"End a thought with `{closes}`, always.",
        f"A thought ends with “{closes}”.",
    ):
        assert answer(text) == text


def test_only_the_first_closing_mark_ends_a_block() -> None:
    text = "<think>Which tags?</think>Write <think> first, then </think>, or </think> alone."
    assert answer(text) == "Write <think> first, then </think>, or </think> alone."


def test_a_quoted_closing_mark_ends_no_block() -> None:
    assert answer("<think>It says `</think>` here.</think> x") == " x"
    assert answer("<think>It says `</think>` here.") == ""


def test_marks_of_another_family_end_no_block() -> None:
    assert answer("<think>One [/THINK] two</think> x") == " x"
    assert answer("[THINK]One </think> two") == ""


def test_a_template_that_opened_thinking_needs_its_closing_mark() -> None:
    cut = "Let me think. Perhaps 'moon' and"
    assert answer(cut) == cut
    assert answer(cut, opened=True) == ""
    text = "The user means <think> here.</think> It opens a thought."
    assert answer(text, opened=True) == " It opens a thought."


def test_thinking_that_must_be_closed_leaves_no_answer_where_none_was() -> None:
    thinking = Thinking(closed=True)
    assert thinking.answer("Let me think. Perhaps 'moon' and") == ""
    assert thinking.answer("A thought.</think>Moon.") == "Moon."
    assert thinking.answer("<think>A thought.</think>Moon.") == "Moon."
    assert thinking.final_answer("<think>A thought.</think>Moon.") == "Moon."


def test_the_word_analysis_opens_an_answer() -> None:
    for text in ("analysis of the data: 3", "analysis: we see", "analysises", "Analysis: good"):
        assert answer(text) == text
    assert answer("analysis of it assistantfinal 3") == " 3"
    assert answer("analysis我们看看") == ""


def test_harmony_may_use_several_channels_before_the_final_one() -> None:
    text = (
        "<|channel|>analysis<|message|>Look.<|end|><|start|>assistant<|channel|>commentary"
        "<|message|>Calling.<|end|><|start|>assistant<|channel|>final<|message|>Moon."
    )
    assert answer(text) == "Moon."
    assert answer("<|channel|>final<|message|>Moon.") == "Moon."


def test_more_marks_come_from_the_settings() -> None:
    thinking = Thinking([("<plan>", "</plan>"), ("(*", "*)")])
    assert thinking.answer("<plan>A</plan>(*B*) x") == " x"
    assert thinking.answer("<think>A</think> x") == " x"
    assert thinking.answer("A</plan> x") == " x"
    assert thinking.answer("<plan>A") == ""


@pytest.mark.parametrize("pair", [("", "</plan>"), ("<plan>", ""), ("<plan>",), ("a", "b", "c")])
def test_a_mark_that_is_not_one_of_a_pair_is_refused(pair: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"expected marks as pairs of texts.*got"):
        Thinking([pair])  # type: ignore[list-item]


def test_a_judge_s_draft_after_a_quoted_closing_mark_is_still_thinking() -> None:
    text = "<think>It says </think> \\boxed{10, 1}, but no.</think> Scores: \\boxed{1, 9}"
    assert Thinking().final_answer(text) == " Scores: \\boxed{1, 9}"
    text = "It has a <think> tag. \\boxed{9, 9}?</think><think>Hm.</think> Scores: 1"
    assert Thinking().final_answer(text) == " Scores: 1"
    assert Thinking().final_answer("a</think><think>b \\boxed{1}") == ""
    assert Thinking().final_answer("The <think> tag. \\boxed{1}") == "The <think> tag. \\boxed{1}"


pieces = st.sampled_from([mark for pair in PAIRS.values() for mark in pair] + ["`", "\n", "\ud800"])


@given(st.lists(pieces | st.text(max_size=5), max_size=30).map("".join), st.booleans())
def test_an_answer_is_an_end_of_the_text(text: str, opened: bool) -> None:
    for thinking in (Thinking(), Thinking(closed=True)):
        found = thinking.answer(text, opened=opened)
        assert text.endswith(found)
        assert found.endswith(thinking.final_answer(text, opened=opened))


SIZE = 1_000_000
EVIL = {
    "opens": "<think>" * (SIZE // 7),
    "closes": "</think>" * (SIZE // 8),
    "quoted closes": "`</think>`" * (SIZE // 10),
    "blocks": "<think></think>" * (SIZE // 15),
    "opens of all": "".join(pair[0] for pair in PAIRS.values()) * 3_000,
    "blanks": " " * SIZE + "<think>",
    "blanks in a tag": "<think" + " " * SIZE,
    "angles": "<" * SIZE,
    "channels": "<|channel|>" * (SIZE // 11),
    "final channels": "<|channel|>final" * (SIZE // 16),
    "analysis": "analysis" * (SIZE // 8),
    "stripped harmony": "analysisassistantfinal" * (SIZE // 22),
}


@given(st.lists(pieces | st.text(max_size=5), max_size=30).map("".join), st.booleans())
def test_marks_that_do_not_occur_change_nothing(text: str, opened: bool) -> None:
    """Texts without a part of a closing mark are not searched; with marks of one's own, all are."""
    more = Thinking([("<never-opened>", "<never-closed>")])
    assert more.answer(text, opened=opened) == answer(text, opened=opened)
    assert more.final_answer(text, opened=opened) == Thinking().final_answer(text, opened=opened)


@pytest.mark.parametrize("name", EVIL)
def test_a_hostile_text_is_read_in_no_time(name: str) -> None:
    started = time.process_time()
    Thinking().answer(EVIL[name])
    Thinking().final_answer(EVIL[name], opened=True)
    assert time.process_time() - started < 2
