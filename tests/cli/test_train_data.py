"""``grm train data``: conversion and checks, by the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ended
from tests.cli.files import write

Grm = Callable[..., Ended]
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen"
PAIR = {"prompt": "x", "responses": ["a", "b"]}


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_conversion_counts_what_it_keeps_and_drops(grm: Grm, tmp_path: Path) -> None:
    keys = {"response_1": "a", "response_2": "b"}
    rows = [{"prompt": f"x{n}", **keys, "preference_strength": n} for n in (-2, 0, 1)]
    write(tmp_path / "in.jsonl", rows)
    ended = grm(
        "train",
        "data",
        "convert",
        "in.jsonl",
        "--from",
        "strengths",
        "--out",
        "rm.jsonl",
        "--subset",
        "steer",
    )
    assert ended.code == 0, ended.err
    assert "kept 2" in ended.out and "dropped 1 neither is better: strength 0" in ended.out
    found = lines(tmp_path / "rm.jsonl")
    assert [(row["best"], row["subset"]) for row in found] == [(0, "steer"), (1, "steer")]
    assert grm("train", "data", "check", "rm.jsonl").code == 0


@pytest.mark.parametrize("form", ["chosen-rejected", "ratings", "verified"])
def test_rows_of_another_form_are_told_and_no_file_is_written(
    grm: Grm, tmp_path: Path, form: str
) -> None:
    write(tmp_path / "in.jsonl", [{"prompt": "x"}, {"prompt": "y"}])
    ended = grm("train", "data", "convert", "in.jsonl", "--from", form, "--out", "rm.jsonl")
    assert ended.code == 1
    assert "in.jsonl has 2 bad rows: in.jsonl, line 1:" in ended.err
    assert list(tmp_path.iterdir()) == [tmp_path / "in.jsonl"]


def test_a_conversion_that_keeps_nothing_is_an_error(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [{**PAIR, "ratings": [1, 1]}])
    ended = grm("train", "data", "convert", "in.jsonl", "--from", "ratings", "--out", "rm.jsonl")
    assert ended.code == 1 and "gives no data; dropped: 1 times" in ended.err


def test_what_should_not_be_trained_on_is_listed_and_dropped(grm: Grm, tmp_path: Path) -> None:
    rows = [
        {**PAIR, "best": 0},
        {**PAIR, "best": 0},  # there twice
        {"prompt": "y", "responses": ["a", "b"], "best": 0},
        {"prompt": "y", "responses": ["b", "a"], "best": 0},  # the other one is best here
        {"prompt": f"Count: {LONG}", "responses": ["a", "b"], "best": 1},
        {"prompt": "z", "responses": ["a"], "correct": 1},
    ]
    write(tmp_path / "rm.jsonl", rows)
    write(tmp_path / "bench.jsonl", [{"prompt": LONG, "responses": ["q"]}])
    checked = ("train", "data", "check", "rm.jsonl", "--against", "bench.jsonl")
    ended = grm(*checked, "--json", "report.json")
    assert ended.code == 3, ended.err
    for told in (
        "line 2: as in line 1",
        "line 3: as in line 4",
        "line 4: as in line 3",
        "line 5: prompt has words of bench.jsonl, group 1: one two",
    ):
        assert told in ended.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["labels"] == {"1": {"1": 1}, "2": {"0": 4, "1": 1}}
    assert [one["kind"] for one in report["findings"]] == [
        "there twice",
        "two labels",
        "two labels",
        "in a benchmark",
    ]
    ended = grm(*checked, "--drop", "clean.jsonl")
    assert ended.code == 0 and "2 of 6 data written to clean.jsonl" in ended.err
    assert [row["prompt"] for row in lines(tmp_path / "clean.jsonl")] == ["x", "z"]
    assert grm("train", "data", "check", "clean.jsonl", "--against", "bench.jsonl").code == 0


def test_a_benchmark_has_columns_of_its_own_and_what_can_not_be_found_is_told(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", [{"prompt": LONG, "responses": ["a", "b"], "best": 0}])
    bench = [{"asked": LONG, "responses": ["q"]}, {"asked": "17 * 3?", "responses": ["51"]}]
    write(tmp_path / "bench.jsonl", bench)
    named = ("--against-columns", "prompt=asked")
    ended = grm("train", "data", "check", "rm.jsonl", "--against", "bench.jsonl", *named)
    assert ended.code == 3, ended.err
    assert "bench.jsonl: 1 of 2 groups have hardly any words" in ended.err


def test_bad_labels_are_told_by_line(grm: Grm, tmp_path: Path) -> None:
    write(
        tmp_path / "rm.jsonl",
        [{**PAIR, "best": 7}, {**PAIR, "best": 0}, {**PAIR, "ratings": [1, 1]}],
    )
    ended = grm("train", "data", "check", "rm.jsonl")
    assert ended.code == 1
    assert "line 1: best: expected the index" in ended.err
    assert "line 3: ratings: expected one maximum" in ended.err
    assert "line 2" not in ended.err
