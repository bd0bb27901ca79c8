"""RMB: pairs and lists, four figures and their mean, and the odd rows that it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation import aggregates
from grm_plugin.evaluation.measuring import Measured, measure
from grm_plugin.evaluation.truth import Best, truth_of
from tests.evaluation.benchmarks.formats import written_as
from tests.evaluation.benchmarks.judged import benchmark, item, judged, written
from tests.shared_data import shared_data

RIGHT, WRONG, TIE = (0.9, 0.1), (0.1, 0.9), (0.5, 0.5)
TURN = {"role": "user", "content": "question", "language": "English"}


def answer(text: str) -> dict[str, str]:
    return {"llm_name": "m", "answer": text}


def pair(number: int, goal: str = "Helpfulness", **more: Any) -> dict[str, Any]:
    return {
        "pair_uid": str(number),
        "conversation_input": [{**TURN, "content": f"question {number}"}],
        "chosen": answer("good"),
        "reject": answer("bad"),
        "category_path": f"Pairwise_set/{goal}/Chat/Discussion",
        **more,
    }


def best_of(number: int, *others: str, goal: str = "Helpfulness", **more: Any) -> dict[str, Any]:
    return {
        "bon_uid": str(number),
        "conversation_input": [TURN],
        "bon_best": answer("best"),
        "loser_list": [answer(text) for text in others or ("b", "c")],
        "category_path": f"BoN_set/{goal}/S1",
        **more,
    }


def groups(path: Path, *rows: dict[str, Any], **options: Any) -> list[Any]:
    return list(benchmark("rmb", path=str(written(path / "rows.jsonl", rows)), **options))


def test_pairs_and_lists_are_told_by_their_columns(tmp_path: Path) -> None:
    two, three = groups(tmp_path, pair(1), best_of(1, goal="Harmlessness"))
    assert (two.responses, three.responses) == (("good", "bad"), ("best", "b", "c"))
    assert truth_of(two) == truth_of(three) == Best((0,))
    assert (two.id, three.id) == ("pair/1", "bon/1")
    assert two.metadata["section"] == "Helpfulness Pairwise"
    assert (two.metadata["subset"], two.metadata["scenario"]) == ("Chat", "Discussion")
    assert three.metadata["section"] == "Harmlessness BoN"
    assert two.metadata["language"] == "English"


def test_a_list_may_be_judged_as_pairs_of_its_best_and_each_other(tmp_path: Path) -> None:
    found = groups(tmp_path, best_of(1, "b", "c", "d"), shown="pairs")
    assert [one.responses for one in found] == [("best", "b"), ("best", "c"), ("best", "d")]
    assert [one.id for one in found] == ["bon/1/1", "bon/1/2", "bon/1/3"]
    assert len({one.metadata["source"] for one in found}) == 1


def test_of_a_list_judged_as_pairs_all_must_be_won(tmp_path: Path) -> None:
    rows = [best_of(1, "b", "c"), best_of(2, "b", "c"), best_of(3, "b", "c", "d")]
    found = groups(tmp_path, *rows, shown="pairs")
    rewards = [RIGHT, RIGHT, RIGHT, WRONG, RIGHT, TIE, RIGHT]
    items = judged(found, rewards)
    for ties, value in (("strict", 1 / 3), ("half", 1.5 / 3), ("random", 1.5 / 3)):
        top = measure(benchmark("rmb", ties=ties).figures(items), items)
        assert named(top, "Helpfulness BoN").value == pytest.approx(value)


def test_the_turns_of_a_conversation_stay_turns(tmp_path: Path) -> None:
    turns = [TURN, {"role": "assistant", "content": "hm"}, {"role": "user", "content": "and?"}]
    (group,) = groups(tmp_path, pair(1, conversation_input=turns))
    assert [(one.role, one.content) for one in group.conversation] == [
        ("user", "question"),
        ("assistant", "hm"),
        ("user", "and?"),
    ]
    assert "language" not in group.metadata


def test_equal_and_empty_answers_are_kept_and_can_not_be_won(tmp_path: Path) -> None:
    rows = [pair(1, reject=answer("good")), pair(2, reject=answer(""))]
    same, empty = groups(tmp_path, *rows)
    assert (same.responses, empty.responses) == (("good", "good"), ("good", ""))
    items = judged([same, empty], [TIE, RIGHT])
    found = named(measure(benchmark("rmb").figures(items), items), "Helpfulness Pairwise")
    assert (found.value, found.counts["tie"]) == (0.5, 1)


def test_the_score_is_the_mean_of_four_however_many_items_each_has() -> None:
    shares = dict(zip(aggregates.RMB, (1, 0, 0.5, 0), strict=True))
    items = [
        item(rewards, section=section, subset="x")
        for section, share in shares.items()
        for rewards in ([RIGHT] * 4 if share == 1 else [RIGHT, WRONG] if share else [WRONG])
    ]
    found = measure(benchmark("rmb").figures(items), items)
    assert [one.value for one in found.parts] == list(shares.values())
    assert found.value == aggregates.mean_of(aggregates.RMB, shares) == 0.375


@pytest.mark.parametrize("model", ["DeepSeek-GRM-27B greedy", "DeepSeek-GRM-27B Voting@32"])
def test_the_papers_four_figures_make_its_total(model: str) -> None:
    text = shared_data("deepseek_grm_golden_aggregates.json").read_text()
    row = json.loads(text)["rows"][model]["RMB"]
    assert aggregates.mean_of(aggregates.RMB, row) == pytest.approx(row["score"], abs=0.06)


def test_with_a_part_missing_there_is_no_score_and_it_is_named() -> None:
    items = [item(RIGHT, section="Helpfulness BoN", subset="Chat")]
    found = measure(benchmark("rmb").figures(items), items)
    assert (found.value, found.missing) == (None, tuple(aggregates.RMB[1:]))
    assert found.parts[0].parts[0].name == "Chat"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"chosen": None}, "line 1: chosen: expected a value, got nothing"),
        ({"chosen": {"llm_name": "m"}}, "line 1: chosen: expected an object with answer, got"),
        ({"conversation_input": "q"}, "line 1: conversation_input: expected a list of turns"),
        (
            {"conversation_input": [{"content": "q"}]},
            "line 1: conversation_input.0: expected a turn with role and content, got",
        ),
        ({"category_path": "x"}, "line 1: category_path: expected a path with Helpfulness or"),
        ({"pair_uid": None}, "line 1: pair_uid: expected a value, got nothing"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_column(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError) as caught:
        groups(tmp_path, pair(1, **change))
    assert f"rows.jsonl, {told}" in str(caught.value)


def test_two_rows_of_one_uid_are_refused_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2: id: expected one for each row, got 'pair/1'"):
        groups(tmp_path, pair(1), pair(1))


def test_a_folder_of_archives_is_read(tmp_path: Path) -> None:
    written_as(tmp_path / "Pairwise_set.tar.xz", [pair(1), pair(2)])
    written_as(tmp_path / "BoN_set.tar.xz", [best_of(1), best_of(2)])
    assert len(list(benchmark("rmb", path=str(tmp_path)))) == 4


def test_all_3786_lists_are_there_with_their_odd_rows() -> None:
    found = list(benchmark("rmb", path=str(shared_data("rmb/BoN_set.tar.xz"))))
    assert len(found) == 3786
    assert sum(len(one.conversation) > 1 for one in found) == 525
    assert sum(len(set(one.responses)) < len(one.responses) for one in found) == 28


def named(found: Measured, name: str) -> Measured:
    return next(one for one in found.parts if one.name == name)
