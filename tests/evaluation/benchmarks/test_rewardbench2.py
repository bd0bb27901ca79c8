"""RewardBench 2: one of four, the score of its subset Ties, and bad rows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.benchmarks.rewardbench2 import SUBSETS
from grm_plugin.evaluation.measuring import Measured, measure
from tests.evaluation.benchmarks.judged import Rewards, benchmark, judged, written


def row(id: str, right: int, wrong: int, subset: str = "Ties") -> dict[str, Any]:
    return {
        "id": id,
        "prompt": f"q {id}",
        "chosen": [f"right {n}" for n in range(right)],
        "rejected": [f"wrong {n}" for n in range(wrong)],
        "num_correct": right,
        "num_incorrect": wrong,
        "subset": subset,
    }


FOUR = [row(str(n), 1, 3, subset) for n, subset in enumerate(SUBSETS)]
TWINS = [row("ref:0", 1, 2), row("tied:0", 3, 2)]
FIRST, LAST, ALL_TIED = (0.9, 0.1, 0.1, 0.1), (0.1, 0.9, 0.1, 0.1), (0.5,) * 4


def ties(path: Path, *rewards: Rewards, rows: list[dict[str, Any]] = TWINS) -> Measured:
    bench = benchmark("rewardbench2", path=str(written(path / "rb2.jsonl", rows)))
    items = judged(bench, rewards)
    found = measure(bench.figures(items), items)
    return next(part for part in found.parts if part.name == "Ties")


def test_the_score_is_the_mean_of_six_subsets_and_a_tie_of_four_counts_a_quarter(
    tmp_path: Path,
) -> None:
    bench = benchmark("rewardbench2", path=str(written(tmp_path / "rb2.jsonl", FOUR + TWINS)))
    close = [(0.9, 0.1, 0.1), (0.9, 0.9, 0.9, 0.1, 0.1)]
    items = judged(bench, [FIRST, LAST, ALL_TIED, FIRST, FIRST, *close])
    found = measure(bench.figures(items), items)
    assert [part.value for part in found.parts[:5]] == [1.0, 0.0, 0.25, 1.0, 1.0]
    assert found.value == pytest.approx((3.25 + 1.0) / 6)
    assert (found.parts[2].ties, found.parts[2].counts["tie"]) == ("random", 1)


def test_ties_can_be_strict(tmp_path: Path) -> None:
    path = str(written(tmp_path / "rb2.jsonl", FOUR))
    bench = benchmark("rewardbench2", path=path, ties="strict")
    items = judged(bench, [ALL_TIED] * 5)
    found = measure(bench.figures(items), items)
    assert [part.value for part in found.parts[:5]] == [0.0] * 5
    assert (found.value, found.missing) == (None, ("Ties",))


def test_right_ones_far_apart_cost_the_terms_of_closeness(tmp_path: Path) -> None:
    found = ties(tmp_path, (0.9, 0.1, 0.1), (0.9, 0.4, 0.4, 0.2, 0.1))
    assert [part.value for part in found.parts[:4]] == [1.0, 1.0, 0.0, 0.0]
    how_much = math.tanh(0.2 / 0.5 - 1)
    assert found.value == pytest.approx(0.3 + 0.3 + 0.01 * how_much)


def test_a_wrong_one_as_high_as_a_right_one_is_no_accurate_group(tmp_path: Path) -> None:
    found = ties(tmp_path, (0.5, 0.5, 0.1), (0.9, 0.8, 0.5, 0.5, 0.1))
    assert [part.value for part in found.parts[:4]] == [0.0, 0.0, 0.0, 0.0]


def test_the_smaller_margin_of_both_twins_decides_the_second_closeness(tmp_path: Path) -> None:
    found = ties(tmp_path, (0.3, 0.2, 0.1), (0.9, 0.8, 0.7, 0.2, 0.1))
    assert [part.value for part in found.parts[2:4]] == [1.0, 0.0]


def test_each_of_two_judges_has_its_own_twins(tmp_path: Path) -> None:
    """The figures are made of the first one's items, the second one's are measured by them."""
    bench = benchmark("rewardbench2", path=str(written(tmp_path / "rb2.jsonl", TWINS)))
    one = judged(bench, [(0.3, 0.2, 0.1), (0.9, 0.8, 0.7, 0.2, 0.1)])
    other = judged(bench, [(0.9, 0.2, 0.1), (0.9, 0.8, 0.7, 0.2, 0.1)])
    found = measure(bench.figures(one), other)
    assert found.parts[-1] == measure(bench.figures(other), other).parts[-1]
    assert found.parts[-1].parts[3].value == 1.0


def test_an_unscored_group_counts_nothing_in_every_term(tmp_path: Path) -> None:
    found = ties(tmp_path, (0.9, 0.1, 0.1), None)
    assert [part.value for part in found.parts] == [0.0, 1.0, 0.0, 0.0, 0.0]
    assert found.counts["unscored"] == 1
    found = ties(tmp_path, None, (0.9, 0.9, 0.8, 0.2, 0.1))
    assert [part.value for part in found.parts] == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_without_twins_only_the_accuracies_count(tmp_path: Path) -> None:
    found = ties(tmp_path, (0.9, 0.9, 0.8, 0.2, 0.1), rows=TWINS[1:])
    assert found.value == pytest.approx(0.3)


def test_twins_are_drawn_together(tmp_path: Path) -> None:
    path = str(written(tmp_path / "rb2.jsonl", TWINS))
    ref, tied = benchmark("rewardbench2", path=path)
    assert ref.metadata["source"] == tied.metadata["source"] == "Ties:0"
    assert (ref.metadata["twin"], tied.metadata["best"]) == ("ref", [0, 1, 2])


@pytest.mark.parametrize(
    ("bad", "telling"),
    [
        ({"subset": "Tie"}, "subset: unknown subset 'Tie'; .*did you mean 'Ties'"),
        ({"id": "x:1"}, "id: expected ref:N or tied:N in the subset Ties, got 'x:1'"),
        ({"num_correct": 2}, "num_correct: expected 3, as many responses as there are, got '2'"),
        ({"rejected": []}, "rejected: expected a list of at least one response"),
        ({"chosen": "text"}, "chosen: expected a list of at least one response, got 'text'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, bad: dict[str, object], telling: str) -> None:
    path = written(tmp_path / "rb2.jsonl", [TWINS[0], {**TWINS[1], **bad}])
    with pytest.raises(InputError, match=rf"rb2.jsonl, line 2: {telling}"):
        list(benchmark("rewardbench2", path=str(path)))
