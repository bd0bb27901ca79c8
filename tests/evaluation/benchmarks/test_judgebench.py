"""JudgeBench: both orders of a pair decide, a tie in one of them is neutral."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest

from grm_plugin.engine import SampleRequest
from grm_plugin.errors import InputError
from grm_plugin.evaluation.benchmarks.judgebench import over_orders
from grm_plugin.evaluation.items import Item, items_of
from grm_plugin.evaluation.measuring import measure
from grm_plugin.evaluation.resettling import Ballot
from grm_plugin.evaluation.truth import Best, truth_of
from grm_plugin.evaluation.votes import votes_of
from grm_plugin.hosts.inputs import opening
from tests.core.honest_judge import box, grm, qualities
from tests.evaluation.benchmarks.judged import benchmark, item, judged, written

RIGHT, TIE, WRONG = (8, 2), (5, 5), (2, 8)


def row(number: int, label: str = "A>B", source: str = "mmlu-pro-law") -> dict[str, Any]:
    return {
        "pair_id": f"pair {number}",
        "original_id": f"question {number // 2}",
        "source": source,
        "question": f"question {number}",
        "response_model": "m",
        "response_A": "quality 8",
        "response_B": "quality 3",
        "label": label,
    }


def pair(*by_order: tuple[int, int]) -> Item:
    return replace(item((0.5, 0.5)), scores_by_order=by_order)


def test_whoever_wins_one_order_and_loses_none_has_won() -> None:
    """The counting of its own scorer: +1 for a right order, -1 for a wrong one, 0 for a tie."""
    points = {RIGHT: 1, TIE: 0, WRONG: -1}
    for orders in itertools.product(points, repeat=2):
        items = [pair(*orders)]
        found = measure(benchmark("judgebench").figures(items), items)
        assert found.value == (sum(points[one] for one in orders) > 0) == found.counts["right"]
        assert found.counts["tie"] == (sum(points[one] for one in orders) == 0)


def test_one_order_alone_decides_and_without_any_the_reward_does() -> None:
    assert over_orders(pair(RIGHT)) == "right"
    assert over_orders(item((0.9, 0.1))) == "right"
    assert over_orders(item((0.5, 0.5))) == "tie"
    assert over_orders(item(None)) == "unscored"


def test_a_pair_that_is_unscored_counts_nothing_whatever_one_order_said(tmp_path: Path) -> None:
    def one_order(request: SampleRequest, i: int) -> str:
        seen = qualities(request)
        return box(seen) if seen[0] > seen[1] else "I can not say."

    found = benchmark("judgebench", path=str(written(tmp_path / "m.jsonl", [row(0), row(2)])))
    with grm(one_order, k=2, min_valid=2) as judge:
        items = list(items_of(judge.score(one) for one in found))
    top = measure(found.figures(items), items)
    assert all(one.scores_by_order for one in items)
    assert (top.value, top.counts["right"], top.counts["unscored"]) == (0.0, 0, 2)


def test_a_tie_over_both_orders_counts_what_ties_asks_for() -> None:
    items = [pair(RIGHT, WRONG), pair(TIE, TIE), pair(TIE, RIGHT), pair(WRONG)]
    for ties, value in (("strict", 0.25), ("half", 0.5)):
        top = measure(benchmark("judgebench", ties=ties).figures(items), items)
        assert (top.value, top.ties, top.counts["tie"]) == (value, ties, 2)


def test_labels_categories_and_questions_are_read(tmp_path: Path) -> None:
    rows = [row(0), row(1, "B>A", "livecodebench"), row(2, source="livebench-math")]
    groups = list(benchmark("judgebench", path=str(written(tmp_path / "m.jsonl", rows))))
    assert [truth_of(one) for one in groups] == [Best((0,)), Best((1,)), Best((0,))]
    assert [one.metadata["section"] for one in groups] == ["Knowledge", "Coding", "Mathematics"]
    assert groups[0].metadata["source"] == groups[1].metadata["source"] == "question 0"


def test_both_sets_of_the_hub_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def load(name: str, split: str | None) -> datasets.Dataset:
        asked.append(name)
        return datasets.Dataset.from_list([row(len(asked)) | {"response_model": name[-3:]}])

    monkeypatch.setattr(opening, "load", load)
    found = benchmark("judgebench")
    items = judged(found, [(0.9, 0.1), (0.1, 0.9)])
    assert asked == ["hub:ScalerLab/JudgeBench:gpt", "hub:ScalerLab/JudgeBench:claude"]
    parts = {one.name: one.value for one in measure(found.figures(items), items).parts}
    assert (parts["gpt"], parts["ude"], parts["Knowledge"]) == (1.0, 0.0, 0.5)


def test_a_judge_that_always_takes_the_first_place_wins_no_pair(tmp_path: Path) -> None:
    path = written(tmp_path / "m.jsonl", [row(n) for n in range(6)])
    found = benchmark("judgebench", path=str(path))
    with grm(lambda request, i: box([9, 1]), k=2) as judge:
        items = list(items_of(judge.score(one) for one in found))
    assert all(len(one.scores_by_order) == 2 for one in items)
    top = measure(found.figures(items), items)
    assert (top.value, top.counts["tie"]) == (0.0, 6)


def test_a_tie_in_one_order_is_neutral_through_a_real_judge(tmp_path: Path) -> None:
    def first_or_tie(request: SampleRequest, i: int) -> str:
        seen = qualities(request)
        return box(seen if seen[0] > seen[1] else [5, 5])

    path = written(tmp_path / "m.jsonl", [row(0)])
    found = benchmark("judgebench", path=str(path))
    with grm(first_or_tie, k=2) as judge:
        items = list(items_of(judge.score(one) for one in found))
    assert measure(found.figures(items), items).value == 1.0


def test_a_record_of_verdicts_says_what_each_order_came_to(tmp_path: Path) -> None:
    """The first place gets 9 points, the right response 2 more in one order: a reward, no win."""

    def by_place(request: SampleRequest, i: int) -> str:
        seen = qualities(request)
        return box([9, 1] if seen[0] > seen[1] else [9, 2])

    found = benchmark("judgebench", path=str(written(tmp_path / "m.jsonl", [row(0)])))
    with grm(by_place, k=2) as judge:
        verdicts = [judge.score(one) for one in found]
        votes = votes_of(verdicts, Ballot(judge.rule), [1, 2])
    assert votes.items[0].outcome == "right"
    for items in (votes.items, votes.sets[2][0]):
        assert measure(found.figures(items), items).value == 0.0
    first, second = (items[0].scores_by_order for items in votes.sets[1])
    assert {*first, *second} == {*votes.items[0].scores_by_order}


def test_every_k_goes_by_the_orders_that_its_samples_saw(tmp_path: Path) -> None:
    """The reward of one sample is its order: no gain where no vote changes."""
    found = benchmark("judgebench", path=str(written(tmp_path / "m.jsonl", [row(0), row(2)])))
    with grm(lambda request, i: box(qualities(request)), k=4) as judge:
        votes = votes_of([judge.score(one) for one in found], Ballot(judge.rule), [1, 2, 4])
    rule = found.figures(votes.items)
    values = {k: measure(rule, items).value for k, (items, *_) in votes.sets.items()}
    assert set(values.values()) == {1.0}
    assert all(one.scores_by_order for sets in votes.sets.values() for s in sets for one in s)


@pytest.mark.parametrize("label", ["A=B", "a>b", 1])
def test_another_label_is_refused_with_its_place(tmp_path: Path, label: Any) -> None:
    path = written(tmp_path / "m.jsonl", [row(0), row(1, label)])
    with pytest.raises(InputError, match=r"m\.jsonl, line 2: label: expected A>B or B>A, got"):
        list(benchmark("judgebench", path=str(path)))
