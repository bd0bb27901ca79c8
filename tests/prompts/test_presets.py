"""Every preset reads its judge's own format: accepted, refused, never wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from grm_plugin import Group
from grm_plugin.contracts.contract import Answer, Contract
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError
from grm_plugin.plugins import installed
from grm_plugin.prompts import PRESETS, Template, load_template
from grm_plugin.prompts.known import KNOWN, advice, templates_of
from grm_plugin.thinking import Thinking
from grm_plugin.types import Scale, Token
from tests.prompts.test_defusing import nested

NAMES = sorted(path.stem for path in PRESETS.glob("*.txt"))
WITH_PROBABILITIES = ("nemotron-principle", "letters")
ANSWERS: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "preset_answers.yaml").read_text(encoding="utf-8")
)
CASES = [(name, case) for name, cases in ANSWERS.items() for case in cases]


def preset(name: str) -> Template:
    return load_template(installed().get("template", name), name)


def contract(name: str) -> Contract:
    part = preset(name).contract
    made: Contract = installed().make("contract", part.name, part.options, Limits())
    return made


def group(name: str) -> Group:
    responses = ["first text", "second text"][: preset(name).layout.responses[0]]
    return Group.of("What is 2 + 2?", responses, principles=("be right",))


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_an_answer_in_the_judges_format_is_read_and_any_other_refused(
    name: str, case: dict[str, Any]
) -> None:
    answer = Answer(Thinking().answer(case["text"]), case["n"], preset(name).scale)
    if "scores" in case:
        assert contract(name).read(answer).scores == pytest.approx(case["scores"])
    else:
        with pytest.raises(ParseError) as refused:
            contract(name).read(answer)
        assert refused.value.reason == case["reason"]


def test_every_preset_has_answers_that_are_accepted_and_refused() -> None:
    for name in NAMES:
        if name not in WITH_PROBABILITIES:
            kinds = {"scores" in case for case in ANSWERS[name]}
            assert kinds == {True, False}, name


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_shows_as_many_responses_as_its_contract_reads(name: str) -> None:
    fewest, most = preset(name).layout.responses
    reads = {"each": (1, 1), "pair": (2, 2), "list": (fewest, most)}
    assert (fewest, most) == reads[contract(name).shows]


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_shows_question_responses_and_principles(name: str) -> None:
    template, shown = preset(name), group(name)
    template.check(shown)
    messages = template.prepare(shown, forms=contract(name).forms).render(
        range(len(shown.responses))
    )
    text = "\n".join(message.content for message in messages)
    for part in ("What is 2 + 2?", "be right", *shown.responses):
        assert text.count(part) == 1
    assert "{{" not in text


@pytest.mark.parametrize(("name", "case"), [pair for pair in CASES if "scores" in pair[1]])
def test_a_response_that_answers_for_the_judge_leaves_no_answer_in_the_prompt(
    name: str, case: dict[str, Any]
) -> None:
    """A judge that copies any part of a response copies no answer."""
    made = contract(name)
    frame = preset(name).frame(forms=made.forms)
    shown = frame.clean(Thinking().answer(case["text"]))
    with pytest.raises(ParseError):
        made.read(Answer(shown, case["n"], preset(name).scale))


@pytest.mark.parametrize("name", [name for name in NAMES if preset(name).turns[0].text])
@settings(max_examples=20)
@given(data=st.data())
def test_hostile_texts_add_nothing_to_the_frame_of_a_prompt_not_even_where_they_meet(
    name: str, data: st.DataObject
) -> None:
    template, forms = preset(name), contract(name).forms
    frame, n = template.frame(forms=forms), template.layout.responses[0]

    def frames_shown(text: Callable[[], str]) -> list[tuple[str, ...]]:
        asked = [{"role": "user", "content": text()}]
        more = {"reference": text(), "principles": (text(), text())}
        texts, evidence = [text() for _ in range(n)], tuple(text() for _ in range(n))
        judged = Group.of(asked, texts, evidence=evidence, **more)
        messages = template.prepare(judged, forms=forms).render(range(n))
        return [frame.find(message.content) for message in messages]

    hostile = nested().map(lambda text: text or "z")
    assert frames_shown(lambda: data.draw(hostile)) == frames_shown(lambda: "x")


def tokens(*texts: str, top: dict[str, float]) -> tuple[Token, ...]:
    """The last of ``texts`` came with the probabilities in ``top``."""
    *before, last = texts
    likely = {text: math.log(p) for text, p in top.items()}
    return (*(Token(text, -0.01) for text in before), Token(last, likely[last], likely))


def test_a_yes_or_no_judge_gives_the_probability_of_yes() -> None:
    answer = tokens("Fine.\n", "Final Judgement:", " Yes", top={" Yes": 0.75, " No": 0.25})
    text = "".join(token.text for token in answer)
    reading = contract("nemotron-principle").read(Answer(text, 1, Scale(0, 1), answer))
    assert reading.scores == pytest.approx([0.75])


@pytest.mark.parametrize("text", ["Final Judgement: Maybe", "Yes", "Final Judgement: Yes"])
def test_a_yes_or_no_judge_without_a_menu_word_or_probabilities_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        contract("nemotron-principle").read(Answer(text, 1, preset("nemotron-principle").scale))


def test_letters_become_an_expectation_for_each_response() -> None:
    first = tokens("<score_A>", "C", top={"C": 0.5, "B": 0.5})
    second = tokens("</score_A>\n", "<score_B>", "M", top={"M": 0.9, "N": 0.1})
    answer = (*first, *second, Token("</score_B>", -0.01))
    text = "".join(token.text for token in answer)
    reading = contract("letters").read(Answer(text, 2, preset("letters").scale, answer))
    assert reading.scores == pytest.approx([18.5, 7.9])


@pytest.mark.parametrize("name", WITH_PROBABILITIES)
def test_a_preset_that_needs_probabilities_asks_for_them(name: str) -> None:
    assert contract(name).logprobs > 1


def test_a_principle_judge_is_not_asked_without_a_principle() -> None:
    with pytest.raises(Exception, match="needs principles, got none"):
        preset("nemotron-principle").check(Group.of("q", ["a"], id="g"))


def test_the_two_turn_judge_prepares_before_it_decides() -> None:
    template = preset("nemotron-brrm")
    assert template.rounds == 2
    assert template.stop[0] == ("[End of Quality Assessment Focus]",)
    prepared = template.prepare(group("nemotron-brrm"))
    messages = prepared.render([0, 1], said=["[Quality Assessment Focus]\nsums\n"])
    assert [message.role for message in messages] == ["user", "assistant", "user"]
    assert messages[1].content.endswith("sums\n[End of Quality Assessment Focus]")


# Which prompt for which judge.

MODELS = {
    "BBQGOD/DeepSeek-GRM-16B": "deepseek-grm",
    "/models/deepseek-grm-27b": "deepseek-grm",
    "prometheus-eval/prometheus-7b-v2.0": "prometheus-each",
    "prometheus-eval/prometheus-8x7b-v2.0": "prometheus-each",
    "gaotang/RM-R1-DeepSeek-Distilled-Qwen-14B": "rm-r1",
    "Reward-Reasoning/RRM-32B": "rrm",
    "ilgee/Binary-Think-RM-8B": "think-rm",
    "rubricreward/R3-Qwen3-14B-LoRA-4k": "r3-each",
    "WisdomShell/RewardAnything-8B-v1": "rewardanything",
    "opencompass/CompassJudger-2-32B-Instruct": "compass-judger",
    "Skywork/Skywork-Critic-Llama-3.1-70B": "skywork-critic",
    "GAIR/autoj-13b": "auto-j-each",
    "nuojohnchen/JudgeLRM-7B": "judge-lrm",
    "nvidia/Llama-3_3-Nemotron-Super-49B-GenRM": "nemotron-genrm",
    "nvidia/Llama-3_3-Nemotron-Super-49B-GenRM-Multilingual": "nemotron-genrm",
    "nvidia/Qwen3-Nemotron-235B-A22B-GenRM-2603": "nemotron-genrm-roles",
    "nvidia/Qwen3-Nemotron-32B-GenRM-Principle": "nemotron-principle",
    "nvidia/Qwen3-Nemotron-14B-BRRM": "nemotron-brrm",
}


@pytest.mark.parametrize(("model", "template"), MODELS.items())
def test_a_known_judge_without_its_own_template_is_told_which_to_take(
    model: str, template: str
) -> None:
    assert templates_of(model)[0] == template
    assert "is asked with template 'grm', which it was not trained on; set template to '" in (
        told := advice(model, "grm")
    )
    assert f"'{template}'" in told
    assert advice(model, template) == ""
    assert advice(model, "prompts/published.txt") == ""


@pytest.mark.parametrize("model", ["Qwen/Qwen3-8B", "reference", "scripted", "gpt-5", "r30-mini"])
def test_nothing_is_said_about_judges_that_are_not_known(model: str) -> None:
    assert advice(model, "grm") == ""


def test_every_preset_for_a_known_judge_is_offered() -> None:
    assert {name for _, names in KNOWN for name in names} == {*NAMES} - {"json-judge", "letters"}
