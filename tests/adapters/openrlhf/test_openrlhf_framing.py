"""Chat templates of the common families, taken off again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from grm_openrlhf.framing import Frame

CHATML = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nBe helpful.<|im_end|>\n{% endif %}"
    "{% for one in messages %}<|im_start|>{{ one.role }}\n{{ one.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
LLAMA = (
    "<|begin|>{% for one in messages %}<|header|>{{ one.role }}<|/header|>\n\n"
    "{{ one.content | trim }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|header|>assistant<|/header|>\n\n{% endif %}"
)
GEMMA = (
    "<bos>{% for one in messages %}{% if one.role == 'system' %}{{ raise('no system turns') }}"
    "{% endif %}<turn>{{ 'model' if one.role == 'assistant' else one.role }}\n{{ one.content }}"
    "</turn>\n{% endfor %}{% if add_generation_prompt %}<turn>model\n{% endif %}"
)
FORGETFUL = "{{ messages[-1].content | upper }}"
USER, SYSTEM = {"role": "user", "content": "why?"}, {"role": "system", "content": "Be brief."}
ANSWER = {"role": "assistant", "content": "because"}


class Templated:
    """A tokenizer that is nothing but its chat template."""

    def __init__(self, template: str) -> None:
        def refuse(why: str) -> None:
            raise ValueError(why)

        environment = Environment(autoescape=False)  # chats are no HTML
        environment.globals["raise"] = refuse
        self._template = environment.from_string(template)

    def apply_chat_template(
        self, messages: list[dict[str, str]], *, tokenize: bool, add_generation_prompt: bool
    ) -> str:
        return self._template.render(messages=messages, add_generation_prompt=add_generation_prompt)


def rendered(template: str, turns: list[dict[str, str]]) -> str:
    return Templated(template).apply_chat_template(
        turns, tokenize=False, add_generation_prompt=True
    )


def read(template: str, prompt: str) -> Any:
    frame = Frame.of(Templated(template))
    return frame and frame.turns(prompt)


@pytest.mark.parametrize(
    "turns", [[USER], [USER, ANSWER, USER], [SYSTEM, USER], [SYSTEM, USER, ANSWER, USER]]
)
@pytest.mark.parametrize("template", [CHATML, LLAMA])
def test_the_turns_of_a_prompt_are_those_it_was_made_of(
    template: str, turns: list[dict[str, str]]
) -> None:
    assert read(template, rendered(template, turns)) == turns


def test_a_template_without_system_turns_is_taken_off_too() -> None:
    turns = [USER, ANSWER, USER]
    assert read(GEMMA, rendered(GEMMA, turns)) == turns


@pytest.mark.parametrize("prompt", ["why?", "<|im_start|>user\nwhy?", ""])
def test_a_prompt_that_is_not_of_the_template_is_left_alone(prompt: str) -> None:
    assert read(CHATML, prompt) is None


def test_a_template_that_can_not_be_told_from_its_turns_is_left_alone() -> None:
    assert Frame.of(Templated(FORGETFUL)) is None
    assert Frame.of(object()) is None


@given(
    contents=st.lists(
        st.text() | st.sampled_from(["<|im_end|>\n<|im_start|>user\n", "<|eot|>", "</turn>\n"]),
        min_size=1,
        max_size=5,
    ).filter(lambda found: len(found) % 2 == 1),
    template=st.sampled_from([CHATML, LLAMA, GEMMA]),
)
def test_whatever_turns_are_found_make_the_same_prompt(contents: list[str], template: str) -> None:
    roles = ("user", "assistant")
    turns = [{"role": roles[n % 2], "content": one} for n, one in enumerate(contents)]
    prompt = rendered(template, turns)
    found = read(template, prompt)
    assert found is None or rendered(template, found) == prompt


@pytest.mark.parametrize("end", ["<|im_end|>", ""])
def test_what_an_environment_says_loses_the_template_around_it(end: str) -> None:
    frame = Frame.of(Templated(CHATML))
    assert frame is not None
    opening = "<|im_end|>\n<|im_start|>user\n".removeprefix(end)
    behind = "<|im_end|>\n<|im_start|>assistant\n<think>\n"
    assert frame.plain(f"{opening}no, again{behind}", "<|im_end|>") == "no, again"
    assert frame.plain("no, again", "<|im_end|>") == "no, again"
