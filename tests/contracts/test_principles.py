"""What reports show of a judge's principles; nothing here influences a reward."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.contracts.principles import parse_principles
from grm_plugin.thinking import Thinking

OUTPUTS = Path(__file__).parent / "judge_outputs"
INDEX = yaml.safe_load((OUTPUTS / "index.yaml").read_text())
pieces = st.sampled_from(["1. ", "- ", "weight", "40%", ":", "\n", "<think>", "</think>", "\ud800"])


@pytest.mark.parametrize("name", INDEX)
def test_a_judge_output_gives_its_principles_and_weights(name: str) -> None:
    answer = Thinking().final_answer((OUTPUTS / f"{name}.txt").read_text())
    principles = parse_principles(answer)
    assert len(principles) == INDEX[name]["principles"]
    assert [one.weight for one in principles] == INDEX[name].get("weights", [])


@given(st.lists(pieces | st.text(max_size=20), max_size=60).map("".join))
def test_reading_principles_never_raises(text: str) -> None:
    parse_principles("Specific Criteria:\n1. " + text)
    parse_principles(text)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("1. Accuracy (40%): the facts", ("Accuracy: the facts", 40)),
        ("1. Accuracy (Weight: 40%): the facts", ("Accuracy: the facts", 40)),
        ("- **Accuracy** [40 %]", ("Accuracy", 40)),
        ("(2) Accuracy, weight 3", ("Accuracy,", 3)),
        ("* Accuracy (weight=0.25)", ("Accuracy", 0.25)),
        ("1、准确性（40％）", ("准确性", 40)),
        ("### 1. Accuracy", ("Accuracy", None)),
        ("- Accuracy", ("Accuracy", None)),
    ],
)
def test_a_weight_is_read_in_the_usual_notations(
    item: str, expected: tuple[str, float | None]
) -> None:
    (principle,) = parse_principles(f"Specific Criteria:\n{item}\nAnalysis: -\n1. no principle")
    assert (principle.text, principle.weight) == expected


def test_principles_end_where_the_analysis_begins() -> None:
    text = "Specific Criteria:\n1. One\n\n**Analysis**\n1. not a principle\n\\boxed{1}"
    assert [one.text for one in parse_principles(text)] == ["One"]


SIZE = 100_000
EVIL = {
    "blanks in an item": "- a" + " " * SIZE + "b",
    "weights in an item": "- " + "weight " * (SIZE // 7),
    "weight and blanks": "- " + ("weight" + " " * 500) * (SIZE // 500),
    "digits in an item": "- " + "1" * SIZE,
    "dotted digits": "- " + "1." * (SIZE // 2),
    "marks before an item": "*" * SIZE + " a",
    "dashes": "- " * (SIZE // 2),
    "numbers": "1) " * (SIZE // 3),
    "lines": "- a\n" * (SIZE // 4),
    "headings": "principles " * (SIZE // 11),
    "heading and marks": "principles" + "!" * SIZE + "x",
    "specific": "specific" + " " * SIZE,
}


@pytest.mark.parametrize("name", EVIL)
def test_a_hostile_list_is_read_in_no_time(name: str) -> None:
    started = time.process_time()
    parse_principles("Specific Criteria:\n" + EVIL[name])
    parse_principles(EVIL[name])
    assert time.process_time() - started < 0.5
