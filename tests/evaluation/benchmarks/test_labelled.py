"""Any labelled groups: which figures they have, by what is known of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.measuring import Measured, measure
from tests.evaluation.benchmarks.judged import Rewards, benchmark, judged, written

PAIR = {"prompt": "2 + 2?", "chosen": "4", "rejected": "5"}
LIST = {"prompt": "2 + 2?", "responses": ["4", "5", "6"], "best": 0}
SINGLE = {"prompt": "2 + 2?", "completion": "4"}


def measured(path: Path, rows: list[dict[str, Any]], rewards: list[Rewards]) -> Measured:
    bench = benchmark("labelled", path=str(written(path / "rm.jsonl", rows)))
    items = judged(bench, rewards)
    return measure(bench.figures(items), items)


def test_pairs_and_lists_have_an_accuracy_by_subset(tmp_path: Path) -> None:
    rows = [{**PAIR, "subset": "pairs"}, {**LIST, "subset": "lists"}]
    found = measured(tmp_path, rows, [(0.9, 0.1), (0.1, 0.9, 0.5)])
    assert (found.name, found.value, found.ties) == ("Accuracy", 0.5, "strict")
    assert [(one.name, one.value) for one in found.parts] == [("pairs", 1.0), ("lists", 0.0)]


def test_single_responses_have_an_area_under_the_curve(tmp_path: Path) -> None:
    rows = [{**SINGLE, "correct": label, "n": n} for n, label in enumerate((1, 1, 0, 0))]
    found = measured(tmp_path, rows, [(0.9,), (0.4,), (0.4,), (0.1,)])
    assert (found.name, found.value) == ("ROC-AUC", 0.875)


def test_ratings_have_a_correlation_with_rewards(tmp_path: Path) -> None:
    rows = [{"prompt": "q", "responses": ["a", "b", "c"], "ratings": [1, 2, 4]}]
    found = measured(tmp_path, rows, [(0.1, 0.2, 0.9)])
    assert (found.name, found.value) == ("Agreement, Spearman", pytest.approx(1.0))
    assert found.counts == {"scored": 1}


def test_groups_that_are_known_in_several_ways_have_the_figures_of_each(tmp_path: Path) -> None:
    rows = [PAIR, {**SINGLE, "correct": 1}, {**SINGLE, "correct": 0}]
    found = measured(tmp_path, rows, [(0.9, 0.1), (0.9,), (0.1,)])
    assert (found.name, found.n, found.value) == ("Accuracy", 1, 1.0)
    assert [(one.name, one.n, one.value) for one in found.parts] == [("ROC-AUC", 2, 1.0)]


def test_a_table_of_texts_has_labels_and_columns_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "rm.csv"
    path.write_text('question,a,b,best\n2 + 2?,5,4,1\n3 + 3?,6,5,"[0]"\n')
    bench = benchmark("labelled", path=str(path), columns="prompt=question,responses=a+b")
    assert [one.metadata["best"] for one in bench] == [1, [0]]


def test_groups_of_another_benchmark_are_labelled_ones_here(tmp_path: Path) -> None:
    rows = [{**PAIR, "metadata": {"benchmark": "rewardbench"}}]
    (group,) = benchmark("labelled", path=str(written(tmp_path / "rm.jsonl", rows)))
    assert group.metadata["benchmark"] == "labelled"


def test_rows_belong_together_by_a_column_or_not_at_all(tmp_path: Path) -> None:
    rows = [{**PAIR, "n": n, "source": "hub", "author": n // 2} for n in range(4)]
    path = str(written(tmp_path / "rm.jsonl", rows))
    options = {"source": ({}, ["hub"] * 4), "author": ({"source": "author"}, [0, 0, 1, 1])}
    for given, found in (*options.values(), ({"source": None}, [None] * 4)):
        groups = benchmark("labelled", path=path, **given)
        assert [one.metadata["source"] for one in groups] == found


@pytest.mark.parametrize(
    ("row", "telling"),
    [
        ({**LIST, "best": None}, "expected best, correct or ratings of 3 responses, got no truth"),
        ({**LIST, "best": 3}, "best: expected the index of one of 3 responses, 0 to 2, got '3'"),
        ({"responses": ["a"]}, "expected a key 'prompt'"),
        (["a"], "expected an object"),
    ],
)
def test_a_row_without_a_truth_is_named(tmp_path: Path, row: Any, telling: str) -> None:
    path = tmp_path / "rm.jsonl"
    path.write_text(json.dumps(PAIR) + "\n" + json.dumps(row) + "\n")
    with pytest.raises(InputError, match=f"rm.jsonl, line 2: {telling}"):
        list(benchmark("labelled", path=str(path)))
