"""LLMBar: subsets by folder, its score, what it holds of other benchmarks, and bad rows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.benchmarks.llmbar import SUBSETS
from grm_plugin.evaluation.measuring import measure
from grm_plugin.evaluation.truth import Best, truth_of
from tests.evaluation.benchmarks.formats import written_as
from tests.evaluation.benchmarks.judged import benchmark, item
from tests.shared_data import shared_data

RIGHT, WRONG = (0.9, 0.1), (0.1, 0.9)


def row(number: int, label: Any = 1, **more: Any) -> dict[str, Any]:
    answers = {"output_1": f"one {number}", "output_2": f"two {number}"}
    return {"input": f"question {number}", **answers, "label": label, **more}


def folder(path: Path, **subsets: list[dict[str, Any]]) -> Path:
    """Files as its repository has them."""
    for subset, rows in subsets.items():
        inside = path / "Dataset" / "LLMBar" / subset
        inside.mkdir(parents=True)
        written_as(inside / "dataset.json", rows)
    return path / "Dataset"


def test_the_folder_says_the_subset_and_the_label_which_output_is_best(tmp_path: Path) -> None:
    path = folder(tmp_path, Natural=[row(0), row(1, 2)], Neighbor=[row(2, "2")])
    groups = list(benchmark("llmbar", path=str(path)))
    assert [truth_of(one) for one in groups] == [Best((0,)), Best((1,)), Best((1,))]
    assert [one.metadata["subset"] for one in groups] == ["Natural", "Natural", "Neighbor"]
    assert [one.metadata["section"] for one in groups] == ["Natural", "Natural", "Adversarial"]
    assert [one.id for one in groups] == ["Natural/1", "Natural/2", "Neighbor/1"]


def test_a_single_file_is_of_the_subset_that_its_path_says(tmp_path: Path) -> None:
    path = folder(tmp_path, GPTOut=[row(0)]) / "LLMBar" / "GPTOut" / "dataset.json"
    (group,) = benchmark("llmbar", path=str(path))
    assert group.metadata["subset"] == "GPTOut"


def test_an_empty_output_is_an_output(tmp_path: Path) -> None:
    path = folder(tmp_path, Natural=[row(0, output_2="")])
    (group,) = benchmark("llmbar", path=str(path))
    assert group.responses == ("one 0", "")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"label": 3}, "item 2: label: expected 1 or 2, got '3'"),
        ({"label": None}, "item 2: label: expected a value, got nothing"),
        ({"output_1": None}, "item 2: output_1: expected a value, got nothing"),
    ],
)
def test_a_bad_row_is_named_or_skipped_and_counted(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = folder(tmp_path, Natural=[row(0), row(1, **change)])
    with pytest.raises(InputError, match=f"dataset.json, {told}"):
        list(benchmark("llmbar", path=str(path)))
    found = benchmark("llmbar", path=str(path), bad_rows="skip")
    assert (len(list(found)), found.skipped) == (1, 1)
    assert told in found.problems[0]


def test_a_file_of_another_schema_is_told_by_its_columns(tmp_path: Path) -> None:
    path = written_as(tmp_path / "dataset.json", [{"prompt": "q", "chosen": "a", "rejected": "b"}])
    with pytest.raises(InputError, match="input: expected a value, got 'prompt', 'chosen'"):
        list(benchmark("llmbar", path=str(path)))


def test_the_score_is_of_its_own_pairs_and_others_are_told_apart() -> None:
    items = [
        item(RIGHT, subset="Natural", section="Natural"),
        *(item(WRONG, subset="Neighbor", section="Adversarial") for _ in range(6)),
        *(item(RIGHT, subset=name, section="Adversarial") for name in ("GPTInst", "GPTOut")),
        item(RIGHT, subset="Manual", section="Adversarial"),
        item(RIGHT, subset="FairEval", section="Processed"),
    ]
    found = measure(benchmark("llmbar").figures(items), items)
    assert (found.value, found.n) == (0.4, 10)
    parts = {one.name: one for one in found.parts}
    assert parts["Adversarial"].value == 0.75
    assert (parts["FairEval"].value, parts["FairEval"].n) == (1.0, 1)


def test_all_419_pairs_and_the_three_processed_sets_are_there() -> None:
    groups = list(benchmark("llmbar", path=str(shared_data("llmbar/Dataset"))))
    found = Counter(one.metadata["subset"] for one in groups)
    assert found == {
        "Natural": 100, "Neighbor": 134, "GPTInst": 92, "GPTOut": 47, "Manual": 46,
        "MT-Bench": 200, "FairEval": 66, "LLMEval^2": 200,
    }  # fmt: skip
    assert set(found) == {name for names in SUBSETS.values() for name in names}
