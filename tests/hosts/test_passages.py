"""A response's own passage of a critique: in every form judges write, and never another's."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.hosts.passages import passage, passages, whole
from grm_plugin.hosts.telling import said_of
from grm_plugin.types import Judgment

REFERENCE = """Specific Criteria:
1. no item twice (weight 2)
2. include roadhouse (weight 6)
Analysis:
Response 1 of 2: ugh: footwork1, postman2. repeats footwork, bad; roadhouse absent, bad. Score 1.
Response 2 of 2: gladly: airport1, roadhouse2; 11. repeats none, ok; roadhouse found, ok. Score 8.
Scores: \\boxed{1, 8}"""
DEEPSEEK = """### Specific Criteria:
1. **Accuracy (weight: 60%)**: the sum has to be right.
2. **Clarity (weight: 40%)**: every step can be followed.

### Analysis:
**Response 1:**
- **Accuracy:** the sum is wrong; Response 2 has the right one.
- **Clarity:** well ordered.

It also repeats itself.

**Response 2:**
- **Accuracy:** right.
- **Clarity:** short.

Overall, Response 2 is the better one.

**Scores:** \\boxed{3, 9}"""
BY_CRITERION = """#### Analysis
1. **Accuracy**
   - Response A: wrong.
   - Response B: right.
2. **Clarity**
   - Response A: clear.
   - Response B: muddled.

**Conclusion**
Response B it is."""
STRENGTHS = """Analysis:
**Response 1**
**Strengths:**
- short
**Weaknesses:**
- wrong
**Response 2**
**Strengths:**
- right
**Weaknesses:**
- none
Both answer the question."""
PROSE = (
    "Analysis: Response 1 is right. It is clear. However, Response 2 forgets the unit. It is "
    "brief, unlike Response 1.\n\nIn contrast, Response 3 is best, while Response 1 is long. "
    "Scores: \\boxed{6, 4, 9}"
)
CHINESE = """具体标准：
1. 准确性（60%）
分析：
回答1：计算错误。表述清楚。
回答２：完全正确。
综上，回答2更好。
最终评分：\\boxed{3, 9}"""
ORDINALS = "分析：第一个回答计算错误。第二个回答完全正确，但是很长。\n得分：\\boxed{3, 9}"
RM_R1 = (
    "<type>Chat</type>\n<rubric>clarity (100%)</rubric>\n<eval>\nResponse A is vague.\n"
    "Response B is exact.\n</eval>\n<answer>[[B]]</answer>"
)
PROMETHEUS = "Feedback: Response A is late, and Response B is exact. So B. [RESULT] B"
AUTO_J = "Response 1 skips a step.\nResponse 2 shows all.\nSo, the final decision is Response 2"
RRM = "Assistant 1 solves it. Assistant 1's steps hold. Assistant 2 errs.\n\\boxed{Assistant 1}"
NEMOTRON = (
    "The first response is late. The second one too; the second response is long.\n"
    "[The Begin of Individual Scores]\n\\boxed{2, 2}\n[The End of Individual Scores]"
)
JSON = '{"analysis": "Response 1 is late. Response 2 is exact.", "scores": [3, 8]}'
FIELDS = '{"analysis": {"response_1": "late", "response_2": "exact"}, "scores": [3, 8]}'
MODELS = (
    '{"thoughts": "model-1 is late. model-2 is exact.", "scores": {"model-1": 4, "model-2": 2}}'
)
MEMBERS = (
    '```json\n{"critiques": [{"id": 2, "critique": "exact"}, {"id": 1, "critique": "late"}], '
    '"scores": [3, 8]}\n```'
)
ONE_EACH = '{"critiques": ["late", "exact"], "scores": [3, 8]}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            REFERENCE,
            {
                1: [REFERENCE.splitlines()[4]],
                2: [REFERENCE.splitlines()[5]],
            },
        ),
        (
            DEEPSEEK,
            {
                1: [
                    "**Response 1:**",
                    "- **Accuracy:** the sum is wrong;",
                    "- **Clarity:** well ordered.",
                    "It also repeats itself.",
                ],
                2: ["**Response 2:**", "- **Accuracy:** right.", "- **Clarity:** short."],
            },
        ),
        (
            BY_CRITERION,
            {
                1: [
                    "1. **Accuracy**",
                    "- Response A: wrong.",
                    "2. **Clarity**",
                    "- Response A: clear.",
                ],
                2: [
                    "1. **Accuracy**",
                    "- Response B: right.",
                    "2. **Clarity**",
                    "- Response B: muddled.",
                ],
            },
        ),
        (
            STRENGTHS,
            {
                1: ["**Response 1**", "**Strengths:**", "- short", "**Weaknesses:**", "- wrong"],
                2: ["**Response 2**", "**Strengths:**", "- right", "**Weaknesses:**", "- none"],
            },
        ),
        (
            PROSE,
            {
                1: ["Response 1 is right. It is clear.", "while Response 1 is long."],
                2: ["However, Response 2 forgets the unit. It is brief, unlike Response 1."],
                3: ["In contrast, Response 3 is best,"],
            },
        ),
        (CHINESE, {1: ["回答1：计算错误。表述清楚。"], 2: ["回答２：完全正确。"]}),
        (ORDINALS, {1: ["第一个回答计算错误。"], 2: ["第二个回答完全正确，但是很长。"]}),
        (RM_R1, {1: ["Response A is vague."], 2: ["Response B is exact."]}),
        (PROMETHEUS, {1: ["Response A is late,"], 2: ["and Response B is exact. So B."]}),
        (AUTO_J, {1: ["Response 1 skips a step."], 2: ["Response 2 shows all."]}),
        (
            RRM,
            {1: ["Assistant 1 solves it.", "Assistant 1's steps hold."], 2: ["Assistant 2 errs."]},
        ),
        (JSON, {1: ["Response 1 is late."], 2: ["Response 2 is exact."]}),
        (FIELDS, {1: ["response_1: late"], 2: ["response_2: exact"]}),
        (MODELS, {1: ["model-1 is late."], 2: ["model-2 is exact."]}),
        (MEMBERS, {1: ["Response 1: late"], 2: ["Response 2: exact"]}),
        (ONE_EACH, {1: ["Response 1: late"], 2: ["Response 2: exact"]}),
    ],
    ids=[
        *("reference", "deepseek", "by-criterion", "strengths", "prose", "chinese"),
        *("ordinals", "rm-r1", "prometheus", "auto-j", "rrm", "json"),
        *("fields", "models", "members", "one-each"),
    ],
)
def test_each_response_gets_what_is_said_of_it(text: str, said: dict[int, list[str]]) -> None:
    shown = len(said)
    found = passages(text, shown)
    assert {place: found[place] for place in sorted(found)} == said
    assert all(passage(text, place, shown) == lines for place, lines in said.items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "While Response 1 is correct, Response 2 is wrong.\nIt misses the point.",
            {
                1: ["While Response 1 is correct,"],
                2: ["Response 2 is wrong.", "It misses the point."],
            },
        ),
        (
            "Although Response 1 is polite, Response 2 lies.",
            {1: ["Although Response 1 is polite,"], 2: ["Response 2 lies."]},
        ),
        (
            "Response 1 is good, Response 2 is terrible.",
            {1: ["Response 1 is good,"], 2: ["Response 2 is terrible."]},
        ),
        (
            "Response 1 is correct whereas Response 2 is not and lies.",
            {1: ["Response 1 is correct"], 2: ["whereas Response 2 is not and lies."]},
        ),
        ("Response 1 is right and Response 2 is wrong.\nIt lies.", {1: ["Response 1 is right"]}),
        ("Response 1 is right (unlike Response 2, which lies).", {1: ["Response 1 is right"]}),
        (
            "Response 1 is right, unlike Response 2.\nIt lies.",
            {1: ["Response 1 is right, unlike Response 2."]},
        ),
        (
            "Response 1: right.\nOn accuracy, Response 2 fails.\nIt lies.",
            {1: ["Response 1: right."], 2: ["On accuracy, Response 2 fails.", "It lies."]},
        ),
        (
            "On tone, Response 1 is warm. Because of its lies, Response 2 fails.",
            {1: ["On tone, Response 1 is warm."], 2: ["Because of its lies, Response 2 fails."]},
        ),
        (
            "Response 1 is right. The other one is wrong and rude.\nIt lies.",
            {1: ["Response 1 is right."]},
        ),
        ("Response 1 is right, the other is rude.", {1: ["Response 1 is right,"]}),
        (
            "**Response 1**\nRight; what Response 2 says is not. It lies.\nIt is rude.\n\n- Short.",
            {1: ["**Response 1**", "Right", "- Short."]},
        ),
        (
            "Accuracy: Response 1 is right, and Response 2 is wrong.",
            {1: ["Response 1 is right,"], 2: ["and Response 2 is wrong."]},
        ),
        (
            "Response 1 is better than Response 2, Response 3 in tone.",
            {1: ["Response 1 is better than Response 2,"]},
        ),
        ("Compared with Response 2, Response 1 is weak.", {}),
        ("回答1正确而回答2错误。", {1: ["回答1正确"], 2: ["而回答2错误。"]}),
        ("回答1正确，另一个回答错误。", {1: ["回答1正确，"]}),
    ],
)
def test_a_clause_about_another_response_is_not_the_first_ones(
    text: str, said: dict[int, list[str]]
) -> None:
    assert passages(text, 3) == said


@pytest.mark.parametrize(
    "quote",
    ["> {}", "  > {}", "```\n{}\n```", "- ```text\n{}\n  ```", "~~~~\n```\n{}\n~~~~", "```\n{}"],
)
def test_what_a_judge_quotes_is_not_its_word_on_another_response(quote: str) -> None:
    attack = quote.format("Response 2: terrible and dishonest.")
    text = f"Response 2: honest.\nResponse 1: an injection:\n{attack}"
    assert passages(text, 2) == {
        1: ["Response 1: an injection:"],
        2: ["Response 2: honest."],
    }


def test_a_block_of_code_around_all_of_a_critique_is_no_quotation() -> None:
    text = "```\nResponse 1: late.\nResponse 2: exact.\n```"
    assert passages(text, 2) == {1: ["Response 1: late."], 2: ["Response 2: exact."]}


def test_a_sentence_about_several_responses_is_nobodys() -> None:
    text = "Responses 1 and 2 fail. Response 1 and Response 2 are short. Response 3 is right."
    assert passages(text) == {3: ["Response 3 is right."]}
    assert passages("The winner is Response 1.\nRanking: Response 2 > Response 1") == {}


def test_what_comes_after_the_last_response_is_not_said_of_it() -> None:
    text = "### Response 1\nLate.\n\n### Response 2\nExact.\n\nShort, too.\n\n"
    said = {1: ["### Response 1", "Late."], 2: ["### Response 2", "Exact.", "Short, too."]}
    for more in (
        "I take Response 1 for the worse one.",
        "| Criterion | Response 1 | Response 2 |\n|---|---|---|\n| unit | missing | there |",
        "Taken together, late answers lose.",
        "**Verdict:** the exact one",
    ):
        assert passages(text + more, 2) == said


def test_a_list_about_one_response_may_speak_of_all_of_it() -> None:
    text = (
        "### Response 1\n- All steps hold.\n- Allows empty input.\n- Both halves are there.\n"
        "### Response 2\n- Compared with the task, too long.\n- So, no.\n### Conclusion\nTwo fails."
    )
    assert passages(text) == {
        1: [
            "### Response 1",
            "- All steps hold.",
            "- Allows empty input.",
            "- Both halves are there.",
        ],
        2: ["### Response 2", "- Compared with the task, too long.", "- So, no."],
    }


@pytest.mark.parametrize(
    "ending",
    ["**Verdict:** wrong", "**Verdict:**\nwrong", "Final answer: 3", "Rating: 8", "评分：8"],
)
def test_what_ends_one_passage_hides_no_other(ending: str) -> None:
    text = f"**Response 1**\nLate.\n{ending}\n**Response 2**\nExact.\n{ending}\n\\boxed{{3, 8}}"
    found = passages(text, 2)
    assert found[1][:2] == ["**Response 1**", "Late."]
    assert found[2][:2] == ["**Response 2**", "Exact."]


def test_rows_of_a_table_are_passages() -> None:
    text = "| response | critique |\n|---|---|\n| Response 1 | late |\n| Response 2 | exact |\n"
    assert passages(text) == {1: ["| Response 1 | late |"], 2: ["| Response 2 | exact |"]}


def test_a_passage_skips_thinking_and_ends_at_the_box() -> None:
    text = "<think>Response 1: hm</think>Response 1: late.\nScores: \\boxed{1}"
    assert passage(text, 1) == ["Response 1: late."]
    assert passage(text, 2) == []


def test_a_place_that_was_not_shown_is_no_name() -> None:
    text = "Response 1: late. Model X was meant.\nResponse 9: quoted from an answer."
    assert passages(text, shown=2) == {
        1: ["Response 1: late. Model X was meant.", "Response 9: quoted from an answer."]
    }


@pytest.mark.parametrize("text", [NEMOTRON, "the second response is long and so is Response B"])
def test_what_can_not_be_told_apart_is_left_out(text: str) -> None:
    assert all("second" in line or "B" in line for line in passage(text, 2))
    assert not any("second" in line for line in passage(text, 1))


def test_an_analysis_of_the_only_response_is_all_about_it() -> None:
    text = "Specific Criteria: exact.\nAnalysis: It is late.\nIt is rude.\nScores: \\boxed{3}"
    assert whole(text) == ["It is late.", "It is rude."]
    assert said_of(Judgment(0, (1,), 0, text, (None, 3.0)), 1) == ["It is late.", "It is rude."]
    assert said_of(Judgment(0, (1,), 0, text, (None, 3.0)), 0) == []
    assert whole('{"explanation": "It is late.", "score": 3}') == ["It is late."]


def test_a_judge_of_several_rounds_is_quoted_from_the_round_that_says_something() -> None:
    said = ("Response 1 may be late. Response 2 may be rude. [End of Quality Assessment Focus]",)
    judgment = Judgment(0, (1, 0), 0, "[The Begin of Ranking Score]\n\\boxed{1}", (0, 1), said=said)
    assert said_of(judgment, 1) == ["Response 1 may be late."]


HEADS = {
    "# {name}": "\n\n{said}",
    "### {name}:": "\n{said}",
    "**{name}**": "\n{said}",
    "**{name}:**": " {said}",
    "{name}:": " {said}",
    "{name} -": " {said}",
    "- {name}:": " {said}",
    "1. **{name}**": "\n   - {said}",
    "{name}": " {said}",
    "The critique. {name}": " {said}",
}
NAMES = [
    lambda place: f"Response {place}",
    lambda place: f"Response {'ABCDEFGH'[place - 1]}",
    lambda place: f"Assistant {'ABCDEFGH'[place - 1]}",
    lambda place: f"model-{place}",
    lambda place: f"response #{place}",
    lambda place: f"回答{place}",
    lambda place: f"回复{'一二三四五六七八'[place - 1]}",
    lambda place: f"第{'一二三四五六七八'[place - 1]}个回答",
]
FILLERS = [
    "is exact.",
    "has the token {token} twice, which is fine.",
    "misses (a) the unit; (b) the sign.",
    "says 3.5 of 7 things: well.",
    "应该更短。",
]
critiques = st.lists(
    st.lists(st.sampled_from(FILLERS), min_size=1, max_size=3), min_size=2, max_size=8
)


def tokens(place: int, rounds: int) -> list[str]:
    return [f"tok{place}x{number}" for number in range(rounds)]


def sentence(place: int, number: int, filler: str) -> str:
    return f"tok{place}x{number} {filler}".replace("{token}", f"tok{place}x{number}")


@given(
    said=critiques,
    head=st.sampled_from(sorted(HEADS)),
    name=st.sampled_from(NAMES),
    blank=st.booleans(),
    data=st.data(),
)
def test_every_layout_gives_each_response_all_of_its_own_and_nothing_of_another(
    said: list[list[str]], head: str, name, blank: bool, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(1, len(said) + 1)))
    parts = []
    for place in order:
        body = " ".join(sentence(place, number, one) for number, one in enumerate(said[place - 1]))
        parts.append(head.format(name=name(place)) + HEADS[head].format(said=body))
    text = "Analysis:\n" + ("\n\n" if blank else "\n").join(parts) + "\nScores: \\boxed{1}"
    found = passages(text, len(said))
    for place in order:
        lines = "\n".join(found[place])
        assert re.findall(r"tok(\d)x", lines)
        assert set(re.findall(r"tok(\d)x", lines)) == {str(place)}
        assert set(tokens(place, len(said[place - 1]))) <= set(re.findall(r"tok\dx\d", lines))


TURNS = [
    "{one} is tok{1}x. {other} is tok{2}x.",
    "{one} is tok{1}x, {other} is tok{2}x.",
    "{one} is tok{1}x; {other} is tok{2}x.",
    "{one} is tok{1}x, and {other} is tok{2}x.",
    "{one} is tok{1}x and {other} is tok{2}x.",
    "{one} is tok{1}x whereas {other} is tok{2}x.",
    "{one} is tok{1}x (what {other} says is tok{2}x).",
    "{one} is tok{1}x, unlike {other}, which is tok{2}x.",
    "{one} is tok{1}x. The other one is tok{2}x.",
    "{one} is tok{1}x, the other is tok{2}x.",
    "{one} is tok{1}x. On tone, {other} is tok{2}x.",
    "{one} is tok{1}x.\nBeing tok{2}x, {other} fails.",
    "While {one} is tok{1}x, {other} is tok{2}x.",
    "Although {one} is tok{1}x, {other} is tok{2}x.",
    "Accuracy: {one} is tok{1}x, and {other} is tok{2}x.",
    "In terms of tone, {one} is tok{1}x, but {other} is tok{2}x.",
]


@given(
    turn=st.sampled_from(TURNS),
    name=st.sampled_from(NAMES),
    head=st.sampled_from(["", "{one}: tok{1}x.\n", "**{one}**\n- ", "### {one}\n"]),
    more=st.sampled_from(
        ["", " It is tok{2}x.", "\nIt is tok{2}x.", "\nHowever, this is tok{2}x."]
    ),
    one=st.sampled_from([1, 2]),
)
def test_whatever_way_a_sentence_turns_to_another_response_it_is_not_the_first_ones(
    turn: str, name, head: str, more: str, one: int
) -> None:
    form = head + turn + more
    text = form.format("", one, 3 - one, one=name(one), other=name(3 - one))
    for place, lines in passages(text, 2).items():
        assert set(re.findall(r"tok(\d)x", "\n".join(lines))) <= {str(place)}
    assert f"tok{one}x" in "\n".join(passages(text, 2)[one])


@given(said=critiques, criteria=st.integers(2, 4), bullet=st.sampled_from(["- ", "   - ", ""]))
def test_a_judge_that_goes_through_its_criteria_is_told_with_them(
    said: Sequence[Sequence[str]], criteria: int, bullet: str
) -> None:
    text = ""
    for criterion in range(criteria):
        text += f"**Criterion {criterion}**\n"
        for place in range(1, len(said) + 1):
            text += f"{bullet}Response {place}: tok{place}x{criterion} fine.\n"
    for place, lines in passages(text, len(said)).items():
        assert [line for line in lines if "**" in line] == [
            f"**Criterion {number}**" for number in range(criteria)
        ]
        assert set(re.findall(r"tok(\d)x", "\n".join(lines))) == {str(place)}


@given(said=critiques, as_list=st.booleans())
def test_fields_of_json_are_told_apart(said: list[list[str]], as_list: bool) -> None:
    texts = [
        " ".join(sentence(place, number, one) for number, one in enumerate(each))
        for place, each in enumerate(said, 1)
    ]
    fields = texts if as_list else {f"response_{n}": one for n, one in enumerate(texts, 1)}
    text = json.dumps({"critiques": fields, "scores": [1] * len(said)}, ensure_ascii=False)
    for place, lines in passages(text, len(said)).items():
        assert lines == [f"{'Response ' if as_list else 'response_'}{place}: {texts[place - 1]}"]


@given(
    st.lists(st.sampled_from([*"Response 12A:.\n-#*回答一{}\"'[]()\\", "Response 1", "\n\n"])).map(
        "".join
    )
)
def test_whatever_a_judge_writes_is_read(text: str) -> None:
    for place, lines in passages(text, 2).items():
        assert place in (1, 2)
        assert lines and all(lines)


@pytest.mark.parametrize(
    "part",
    [
        *(" ", "Response ", "*", "(", "1. ", "- ", "Response 1, ", '{"', "[", "#", "回答", "\n"),
        *("Response 1 x, ", "than Response 2, ", "a, Response 1 b ", ", Response 1 x Response 2"),
        *("> ", "```\n", "the other ", "Response 1 than Response 2 and ", "It. ", "an, ", "而"),
    ],
)
def test_a_hostile_text_costs_no_more_than_its_length(part: str) -> None:
    begun = time.perf_counter()
    passages(part * (200_000 // len(part)))
    assert time.perf_counter() - begun < 5
