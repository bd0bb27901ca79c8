"""Ratings: correlations over all responses and within a source, however ratings are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from grm_plugin.errors import InputError
from grm_plugin.evaluation.measuring import Measured, measure
from grm_plugin.evaluation.truth import Ratings, truth_of
from tests.evaluation.benchmarks.judged import benchmark, item, judged, written
from tests.shared_data import shared_data

GRADED = {"rating": "gpt4_score", "form": "grading", "source": "idx"}
TASK = """###Task Description:
Grade it.

###The instruction to evaluate:
Say {0}.

###Response to evaluate:
word {0}

###Reference Answer (Score 5):
the word {0}

###Score Rubrics:
[Is it said?]
Score 1: no
Score 5: yes

###Feedback: """


def rated(path: Path, *rows: dict[str, Any], **options: Any) -> list[Any]:
    return list(benchmark("ratings", path=str(written(path / "rows.jsonl", rows)), **options))


def graded(number: int, scores: Any) -> dict[str, Any]:
    text = TASK.format(number)
    return {"idx": number // 2, "category": "x", "instruction": text, "gpt4_score": scores}


def test_several_responses_have_a_rating_each(tmp_path: Path) -> None:
    (group,) = rated(tmp_path, {"prompt": "q", "responses": ["a", "b"], "ratings": [1, 4.5]})
    assert truth_of(group) == Ratings((1, 4.5))


def test_a_single_response_has_one_or_the_mean_of_several(tmp_path: Path) -> None:
    rows = [
        {"prompt": "q", "completion": "a", "score": score} for score in (3, [3, 2, 4], "[5, 4]")
    ]
    found = rated(tmp_path, *rows, rating="score")
    assert [truth_of(one) for one in found] == [Ratings((3,)), Ratings((3,)), Ratings((4.5,))]


def test_other_columns_may_have_other_names(tmp_path: Path) -> None:
    row = {"question": "q", "one": "a", "two": "b", "r": [1, 2], "level": "hard"}
    (group,) = rated(tmp_path, row, rating="r", columns="prompt=question,responses=one+two")
    assert group.responses == ("a", "b")
    assert (group.metadata["level"], group.metadata["benchmark"]) == ("hard", "ratings")


def test_a_grading_task_in_one_text_is_taken_apart(tmp_path: Path) -> None:
    first, second, third = rated(tmp_path, *(graded(n, [3, 2, 3]) for n in range(3)), **GRADED)
    assert first.conversation[0].content == "Say 0."
    assert (first.responses, first.reference) == (("word 0",), "the word 0")
    assert first.principles == ("[Is it said?]\nScore 1: no\nScore 5: yes",)
    assert truth_of(first).values_N == pytest.approx((8 / 3,))
    assert [one.metadata["source"] for one in (first, second, third)] == ["0", "0", "1"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ratings": [1]}, "ratings: expected 2 numbers, one for each response, got"),
        ({"ratings": [1, "x"]}, "ratings.1: expected a number, got 'x'"),
        ({"ratings": [1, True]}, "ratings.1: expected a number, got 'True'"),
        ({"ratings": None}, "ratings: expected a value, got nothing"),
        ({"ratings": "good"}, "ratings: expected a number or a list of numbers, got 'good'"),
    ],
)
def test_a_bad_rating_is_named_by_file_line_and_column(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError) as caught:
        rated(tmp_path, {"prompt": "q", "responses": ["a", "b"], "ratings": [1, 2], **change})
    assert f"rows.jsonl, line 1: {told}" in str(caught.value)


def test_a_text_without_the_headings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 1: instruction: expected a text with the headings"):
        rated(tmp_path, {"idx": 1, "instruction": "Say it.", "gpt4_score": [1, 2, 3]}, **GRADED)


def parts(found: Measured) -> dict[str, Measured]:
    return {one.name: one for one in found.parts}


def test_correlations_are_those_of_scipy_and_unscored_responses_are_left_out() -> None:
    ratings, rewards = [1, 2, 3, 4, 5, 5], [0.1, 0.4, 0.3, 0.6, 0.9, 0.6]
    items = [item((a,), ratings=[b]) for a, b in zip(rewards, ratings, strict=True)]
    items.append(item((None,), ratings=[3]))
    found = measure(benchmark("ratings").figures(items), items)
    assert found.value == pytest.approx(stats.spearmanr(rewards, ratings).statistic)
    assert parts(found)["Pearson"].value == pytest.approx(
        stats.pearsonr(rewards, ratings).statistic
    )
    tau = stats.kendalltau(rewards, ratings).statistic
    assert parts(found)["Kendall tau-b"].value == pytest.approx(tau)
    assert found.counts == {"scored": 6, "unscored": 1}
    assert found.low < found.value < found.high


def test_within_a_source_only_its_own_responses_are_compared() -> None:
    """Between prompts the rewards go against the ratings, within each of them with them."""
    items = [
        item((0.9, 0.8), ratings=[2, 1], source="a"),
        item((0.3,), ratings=[9], source="b"),
        item((0.2,), ratings=[8], source="b"),
        item((0.5,), ratings=[8], source="alone"),
    ]
    found = measure(benchmark("ratings").figures(items), items)
    assert found.value < 0
    assert parts(found)["Kendall tau-b within a source"].value == 1.0


def test_nothing_that_varies_is_no_number() -> None:
    items = [item((0.5,), ratings=[n]) for n in range(3)]
    found = measure(benchmark("ratings").figures(items), items)
    assert (found.value, found.low) == (None, None)


def test_mt_bench_with_three_judgments_each_is_read_whole() -> None:
    path = shared_data("mt-bench-3x/mt_bench_eval.json")
    groups = list(benchmark("ratings", path=str(path), **GRADED))
    scores = [row["gpt4_score"] for row in json.loads(path.read_text())]
    assert len(groups) == 320
    assert len({one.metadata["source"] for one in groups}) == 80
    assert all(one.reference and one.principles and one.responses[0] for one in groups)
    items = judged(groups, [(sum(three) / 15,) for three in scores])
    assert measure(benchmark("ratings").figures(items), items).value == pytest.approx(1)
