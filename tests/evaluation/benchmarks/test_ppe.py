"""PPE: human preferences without ties, conflict pairs of five sets, best-of-k curves."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import datasets
import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.aggregates import PPE_CORRECTNESS
from grm_plugin.evaluation.benchmarks.ppe_preference import NO_WINNER
from grm_plugin.evaluation.best_of_k import best_of_k
from grm_plugin.evaluation.measuring import measure
from grm_plugin.evaluation.truth import Best, Correct, truth_of
from grm_plugin.hosts.inputs import opening
from grm_plugin.testing import ScriptedEngine
from tests.core.honest_judge import grm, honest
from tests.evaluation.benchmarks.formats import written_as
from tests.evaluation.benchmarks.judged import benchmark, item, judged, written

RIGHT, WRONG, TIE = (0.9, 0.1), (0.1, 0.9), (0.5, 0.5)
FILES = [f"PPE-{name}-Best-of-K.jsonl" for name in PPE_CORRECTNESS]


def preference(number: int, winner: Any = "model_a", **more: Any) -> dict[str, Any]:
    return {
        "question_id": f"q{number}",
        "prompt": f"question {number}",
        "response_1": "one",
        "response_2": "two",
        "winner": winner,
        **more,
    }


def many(number: int, *scores: Any, pairs: Any = ((0, 1),), **more: Any) -> dict[str, Any]:
    return {
        "question_id": number,
        "model_name": "m",
        "prompt": f"question {number}",
        **{f"response_{i + 1}": f"quality {i + 1}" for i in range(len(scores))},
        "scores": list(scores),
        "sampled_conflict_pairs": [list(pair) for pair in pairs],
        **more,
    }


def test_rows_without_a_winner_are_left_out_and_told(tmp_path: Path) -> None:
    winners = ["model_a", "tie", "model_b", "tie (bothbad)"]
    rows = [preference(n, winner) for n, winner in enumerate(winners)]
    found = benchmark("ppe_preference", path=str(written(tmp_path / "rows.jsonl", rows)))
    assert [truth_of(one) for one in found] == [Best((0,)), Best((1,))]
    assert found.left_out == {NO_WINNER: 2}
    assert (found.skipped, found.problems) == (0, [])


def test_kinds_of_prompts_have_figures_of_their_own(tmp_path: Path) -> None:
    rows = [preference(0, hard_prompt=True, is_code=False), preference(1, hard_prompt=False)]
    found = benchmark("ppe_preference", path=str(written(tmp_path / "rows.jsonl", rows)))
    items = judged(found, [RIGHT, WRONG])
    top = measure(found.figures(items), items)
    assert (top.value, top.n) == (0.5, 2)
    assert [(one.name, one.value, one.n) for one in top.parts] == [("hard prompts", 1.0, 1)]


def test_a_winner_that_is_nobody_is_refused_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", [preference(0, "gpt")])
    with pytest.raises(
        InputError, match=r"line 1: winner: expected model_a, model_b or a tie, got"
    ):
        list(benchmark("ppe_preference", path=str(path)))


def test_each_conflict_pair_is_a_group_and_the_file_says_the_set(tmp_path: Path) -> None:
    for file in FILES:
        written(tmp_path / file, [many(7, 0, 1, True, False, pairs=[(0, 1), (2, 3)])])
    groups = list(benchmark("ppe_correctness", path=str(tmp_path)))
    assert {one.metadata["subset"] for one in groups} == set(PPE_CORRECTNESS)
    first, second = (one for one in groups if one.metadata["subset"] == "GPQA")
    assert (first.responses, truth_of(first)) == (("quality 1", "quality 2"), Best((1,)))
    assert (second.responses, truth_of(second)) == (("quality 3", "quality 4"), Best((0,)))
    assert first.id == "GPQA/7/m/0-1"
    assert first.metadata["source"] == second.metadata["source"] == "GPQA/7"


def test_the_five_sets_are_asked_for_by_the_names_that_they_are_published_under(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = datasets.Dataset.from_list([many(1, 0, 1)])
    asked: list[str] = []
    monkeypatch.setattr(opening, "load", lambda name, split: asked.append(name) or table)
    groups = list(benchmark("ppe_correctness"))
    assert asked == [f"hub:lmarena-ai/PPE-{name}-Best-of-K" for name in PPE_CORRECTNESS]
    assert [one.metadata["subset"] for one in groups] == list(PPE_CORRECTNESS)


def test_a_conflict_pair_that_is_there_twice_is_judged_once_and_told(tmp_path: Path) -> None:
    rows = [many(1, 1, 0, pairs=[(0, 1), (0, 1)]), many(2, 0, 1)]
    for shown, groups in (("pairs", 2), ("list", 2)):
        path = str(written(tmp_path / FILES[0], rows))
        found = benchmark("ppe_correctness", path=path, shown=shown)
        assert len(list(found)) == groups
        assert found.left_out == {"a conflict pair that is there twice": 1}


def test_the_score_is_the_mean_of_the_five_sets() -> None:
    items = [item(RIGHT, subset=name) for name in PPE_CORRECTNESS[:3]]
    items += [item(WRONG, subset=name) for name in PPE_CORRECTNESS[3:]] * 5
    found = measure(benchmark("ppe_correctness").figures(items), items)
    assert (found.value, found.missing) == (0.6, ())


def test_lists_give_conflict_pairs_and_best_of_k_curves(tmp_path: Path) -> None:
    rows = [
        many(1, 0, 1, 1, 0, pairs=[(0, 1), (2, 3)]),
        many(2, 0, 0, 0, 1, pairs=[(0, 3)]),
    ]
    path = written(tmp_path / FILES[1], rows)
    found = benchmark("ppe_correctness", path=str(path), shown="list")
    groups = list(found)
    assert truth_of(groups[0]) == Correct((0, 1, 1, 0))
    rewards = [(0.1, 0.2, 0.3, 0.4), (0.4, 0.3, 0.2, 0.4)]
    items = judged(groups, rewards)
    (top,) = [one for one in measure(found.figures(items), items).parts if one.n]
    assert (top.name, top.ties, top.value) == ("MATH", "strict", pytest.approx(1 / 3))
    curve = {one.name: one.value for one in top.parts}
    truths = [(0, 1, 1, 0), (0, 0, 0, 1)]
    for k in (1, 2, 4):
        reached = [best_of_k(one, truth)[k - 1] for one, truth in zip(rewards, truths, strict=True)]
        possible = [best_of_k(truth, truth)[k - 1] for truth in truths]
        assert curve[f"best of {k}, chosen by its reward"] == pytest.approx(
            statistics.fmean(reached)
        )
        assert curve[f"best of {k}, chosen by its truth"] == pytest.approx(
            statistics.fmean(possible)
        )
    assert "best of 8, chosen by its reward" not in curve


def test_an_unscored_list_loses_its_pairs_and_chooses_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / FILES[0], [many(1, 0, 1), many(2, 0, 1)])
    found = benchmark("ppe_correctness", path=str(path), shown="list")
    items = judged(found, [(0.1, 0.9), None])
    top = measure(found.figures(items), items).parts[0]
    assert (top.value, top.counts["unscored"]) == (0.5, 1)
    assert {one.name: one.value for one in top.parts}["best of 2, chosen by its reward"] == 0.5


def test_a_list_over_the_judges_context_is_counted_as_unscored_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / FILES[0], [many(1, *[0, 1] * 16), many(2, 0, 1)])
    found = benchmark("ppe_correctness", path=str(path), shown="list")
    engine = ScriptedEngine(honest, context_tokens=3000)
    with grm(engine, k=1, max_tokens=100) as judge:
        verdicts = list(judge.score_many(found))
    assert [one.scored for one in verdicts] == [False, True]
    assert "context" in verdicts[0].unscored


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"scores": [0]}, "scores: expected 2 of them, one for each response, got"),
        ({"scores": [0, 0.5]}, "scores.1: expected 0 or 1, or true or false, got '0.5'"),
        ({"sampled_conflict_pairs": [[0, 0]]}, "sampled_conflict_pairs.0: expected places of a"),
        ({"sampled_conflict_pairs": [[0, 2]]}, "sampled_conflict_pairs.0: expected places of a"),
        ({"sampled_conflict_pairs": [[0]]}, "sampled_conflict_pairs.0: expected two places"),
        ({"question_id": None}, "question_id: expected a value, got nothing"),
        ({"response_2": None}, "response_2: expected a value, got nothing"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_column(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = written(tmp_path / FILES[0], [many(1, 0, 1) | change])
    with pytest.raises(InputError) as caught:
        list(benchmark("ppe_correctness", path=str(path)))
    assert f"{path}, line 1: {told}" in str(caught.value)


def test_a_file_that_is_named_after_no_set_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", [many(1, 0, 1)])
    with pytest.raises(InputError, match=r"expected a file or folder named after one of MMLU-Pro"):
        list(benchmark("ppe_correctness", path=str(path)))


def test_columns_of_parquet_and_csv_are_read_alike(tmp_path: Path) -> None:
    rows = [preference(n) for n in range(4)]
    for ending in ("parquet", "csv", "json"):
        path = written_as(tmp_path / f"rows.{ending}", rows)
        groups = list(benchmark("ppe_preference", path=str(path)))
        assert [one.id for one in groups] == ["q0", "q1", "q2", "q3"]
