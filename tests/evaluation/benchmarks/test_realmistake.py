"""ReaLMistake: single responses from an archive with a password, and areas under ROC curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.auc import auc
from grm_plugin.evaluation.benchmarks.realmistake import PASSWORD, TASKS
from grm_plugin.evaluation.measuring import measure
from grm_plugin.evaluation.truth import Correct, truth_of
from tests.evaluation.benchmarks.encrypted import encrypted_zip
from tests.evaluation.benchmarks.judged import benchmark, item, judged, written
from tests.shared_data import shared_data


def row(number: int, label: str = "error", **more: Any) -> dict[str, Any]:
    about = {"id": f"item {number}", "llm_response_model": "m"}
    return {
        "input": f"question {number // 2}",
        "llm_response": f"answer {number}",
        "error_label": label,
        "metadata": about,
        **more,
    }


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in rows)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    files = {
        "data/example.jsonl": lines(row(0)),
        f"data/{TASKS[0]}/m.jsonl": lines(row(0), row(1, "no_error")),
        f"data/{TASKS[1]}/m.jsonl": lines(row(2, "no_error"), row(3)),
    }
    return encrypted_zip(tmp_path / "data.zip", files, PASSWORD)


def test_the_published_password_is_known_and_the_examples_are_left_out(archive: Path) -> None:
    found = benchmark("realmistake", path=str(archive))
    groups = list(found)
    assert [one.id for one in groups] == ["item 2", "item 3", "item 0", "item 1"]
    assert [truth_of(one) for one in groups] == [Correct((label,)) for label in (1, 0, 0, 1)]
    assert {one.metadata["subset"] for one in groups} == {TASKS[0], TASKS[1]}
    assert groups[0].metadata["source"] == groups[1].metadata["source"]
    assert list(found.left_out.values()) == [1]


def test_a_folder_that_holds_the_archive_will_do(archive: Path) -> None:
    assert len(list(benchmark("realmistake", path=str(archive.parent)))) == 4


def test_a_wrong_password_is_told_with_the_file_and_the_option(archive: Path) -> None:
    with pytest.raises(InputError, match=r"data\.zip.*expected another password.*option password"):
        list(benchmark("realmistake", path=str(archive), password="guessed"))


def test_the_label_may_have_the_name_that_the_readme_gives_it(tmp_path: Path) -> None:
    rows = [{"input": "q", "llm_response": "a", "label": "no_error"}]
    (group,) = benchmark("realmistake", path=str(written(tmp_path / "m.jsonl", rows)))
    assert truth_of(group) == Correct((1,))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"error_label": "none"}, "line 1: error_label: expected error or no_error, got 'none'"),
        ({"error_label": None}, "line 1: error_label: expected a value, got nothing"),
        ({"llm_response": None}, "line 1: llm_response: expected a value, got nothing"),
        ({"llm_response": 3.5}, "line 1: completion: expected"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_column(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = written(tmp_path / "m.jsonl", [row(0, **change)])
    with pytest.raises(InputError) as caught:
        list(benchmark("realmistake", path=str(path)))
    assert f"{path}, {told}" in str(caught.value)


def test_the_figure_is_the_mean_of_the_tasks_beside_all_pooled() -> None:
    rewards = [[(0.9, 1), (0.1, 0), (0.9, 0)], [(0.2, 1), (0.2, 0)], [(0.1, 1), (0.9, 0)]]
    items = [
        item((reward,), correct=label, subset=task)
        for task, some in zip(TASKS, rewards, strict=True)
        for reward, label in some
    ]
    found = measure(benchmark("realmistake").figures(items), items)
    assert [one.value for one in found.parts[:3]] == [0.75, 0.5, 0.0]
    assert found.value == pytest.approx(1.25 / 3)
    flat = [one for some in rewards for one in some]
    pooled = auc([reward for reward, _ in flat], [label for _, label in flat]).value
    assert found.parts[3].value == pytest.approx(pooled)


def test_a_response_without_a_reward_loses_and_is_counted() -> None:
    items = [
        item((reward,), correct=label, subset=TASKS[0])
        for reward, label in [(0.9, 1), (None, 1), (0.1, 0), (None, 0)]
    ]
    task = measure(benchmark("realmistake").figures(items), items).parts[0]
    assert task.value == 0.25
    assert task.counts["unscored"] == 2


def test_with_a_task_missing_there_is_no_mean_and_it_is_named() -> None:
    items = [item((0.9,), correct=1, subset=TASKS[0]), item((0.1,), correct=0, subset=TASKS[0])]
    found = measure(benchmark("realmistake").figures(items), items)
    assert (found.value, found.missing) == (None, TASKS[1:])


def test_all_900_responses_are_there() -> None:
    groups = list(benchmark("realmistake", path=str(shared_data("realmistake/data.zip"))))
    assert len(groups) == 900
    assert [sum(one.metadata["subset"] == task for one in groups) for task in TASKS] == [300] * 3
    right = [one for one in groups if truth_of(one) == Correct((1,))]
    items = judged(groups, [(float(one in right),) for one in groups])
    assert measure(benchmark("realmistake").figures(items), items, resamples=50).value == 1.0
