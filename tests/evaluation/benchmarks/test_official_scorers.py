"""Our figures say of random tables what the package rewardbench says of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grm_plugin.evaluation.benchmarks.rewardbench import SECTIONS
from grm_plugin.evaluation.benchmarks.tied import ties_score
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.measuring import measure
from grm_plugin.evaluation.outcomes import credit
from grm_plugin.evaluation.truth import Best
from tests.evaluation.benchmarks.judged import item
from tests.evaluation.benchmarks.published import OFFICIAL as GOLDEN
from tests.evaluation.benchmarks.published import of_subsets, sections_of

OFFICIAL = json.loads(GOLDEN.read_text())


def test_subsets_weigh_what_they_weigh_there() -> None:
    assert {name: n for subsets in SECTIONS.values() for name, n in subsets.items()} == OFFICIAL[
        "counts"
    ]


@pytest.mark.parametrize("table", OFFICIAL["sections"])
def test_sections_are_its_sections(table: dict[str, Any]) -> None:
    assert sections_of(of_subsets(table["subsets"])) == pytest.approx(table["sections"], abs=1e-12)


@pytest.mark.parametrize("table", OFFICIAL["ties"])
def test_the_score_for_many_right_answers_is_its_score(table: dict[str, Any]) -> None:
    items = [_twin(**row) for row in table["rows"]]
    found = measure(ties_score("Ties"), items, resamples=2)
    assert found.value == pytest.approx(table["score"], abs=1e-12)


def test_a_tie_for_the_best_of_four_counts_what_it_counts_there() -> None:
    table = OFFICIAL["one of four"]
    assert len({*table["credits"]}) == 5  # right, wrong, and ties of two, three and four
    for scores, official in zip(table["scores"], table["credits"], strict=True):
        assert credit(scores, Best((0,)), "random") == pytest.approx(official, abs=1e-12)


def _twin(id: str, num_correct: int, scores: list[float]) -> Item:
    twin, number = id.split(":")
    best = list(range(num_correct))
    return item(scores, best=best, subset="Ties", twin=twin, source=f"Ties:{number}")
