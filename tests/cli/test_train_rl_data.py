"""``grm train rl-data``: what is left out, what is refused, and what the rows are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grm_plugin.cli import app
from grm_plugin.errors import GRMError
from grm_plugin.types import Group

RM = [
    {"id": "a", "prompt": "2 + 2?", "responses": ["4", "5", "6"], "best": 0, "subset": "sums"},
    {"id": "b", "prompt": "2 + 3?", "chosen": "5", "rejected": "6"},
    {"id": "c", "prompt": "Is 7 prime?", "responses": ["yes"], "correct": 1},
]


def write(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(folder: Path, rows: Sequence[Any], *options: str) -> tuple[str, list[dict[str, Any]]]:
    """What the command printed, and the rows that it wrote."""
    source, out = write(folder / "rm.jsonl", rows), folder / "rl.jsonl"
    command = ["train", "rl-data", str(source), "--out", str(out), *options]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output, [json.loads(line) for line in out.read_text().splitlines()]


def test_every_form_of_labelled_groups_becomes_prompts(tmp_path: Path) -> None:
    said, rows = run(tmp_path, RM)
    assert [(row["id"], row["responses"], row["subset"]) for row in rows] == [
        ("a", 3, "sums"),
        ("b", 2, "n2"),
        ("c", 1, "n1"),
    ]
    assert [row["order"][row["label"]] for row in rows[:2]] == [0, 0]
    assert rows[2]["label"] == 1
    assert "3 prompts" in said


def test_orders_multiply_prompts_and_the_seed_decides_them(tmp_path: Path) -> None:
    _, first = run(tmp_path, RM[:1], "--orders", "3")
    _, again = run(tmp_path, RM[:1], "--orders", "3")
    _, other = run(tmp_path, RM[:1], "--orders", "3", "--seed", "9")
    assert first == again
    assert len({tuple(row["order"]) for row in first}) == 3
    assert [row["order"] for row in first] != [row["order"] for row in other]


def test_too_easy_groups_are_left_out_and_counted(tmp_path: Path) -> None:
    name = Group.of("2 + 2?", ["4", "5", "6"]).fingerprint
    easy = write(tmp_path / "easy.jsonl", [{"fingerprint": name, "id": "a"}])
    said, rows = run(tmp_path, RM, "--easy", str(easy))
    assert [row["id"] for row in rows] == ["b", "c"]
    assert any(line.split() == ["sums", "1", "1", "0"] for line in said.splitlines())


def test_columns_may_have_other_names_and_fewer_data_be_taken(tmp_path: Path) -> None:
    rows = [{"question": f"{n} + 2?", "responses": ["4", "5"], "best": 0} for n in range(3)]
    _, found = run(tmp_path, rows, "--columns", "prompt=question", "--limit", "2")
    assert len(found) == 2
    assert "1 + 2?" in found[1]["prompt"][-1]["content"]


@pytest.mark.parametrize(
    ("rows", "options", "telling"),
    [
        ([{"prompt": "q", "responses": ["a", "b"], "ratings": [1, 1]}], (), "line 1.*maxim"),
        ([RM[0], {"prompt": "q", "responses": ["a", "b"]}], (), "line 2.*no label"),
        ([{**RM[0], "reference": "4"}], ("--template", "reference"), "line 1.*no place"),
        (RM, ("--single", "grm"), "expected scores of 0 or 1 for a single response"),
    ],
)
def test_bad_data_is_refused_by_its_line_and_nothing_is_written(
    tmp_path: Path, rows: list[Any], options: Sequence[str], telling: str
) -> None:
    with pytest.raises(GRMError, match=telling):
        run(tmp_path, rows, *options)
    assert not (tmp_path / "rl.jsonl").exists()


def test_a_list_of_easy_groups_that_is_none_is_refused(tmp_path: Path) -> None:
    easy = write(tmp_path / "easy.jsonl", [{"id": "a"}])
    with pytest.raises(GRMError, match=r"easy\.jsonl, line 1: expected .*fingerprint"):
        run(tmp_path, RM, "--easy", str(easy))


def test_a_file_of_which_everything_is_too_easy_is_told(tmp_path: Path) -> None:
    name = Group.of("2 + 2?", ["4", "5", "6"]).fingerprint
    easy = write(tmp_path / "easy.jsonl", [{"fingerprint": name}])
    with pytest.raises(GRMError, match="none of its 1 groups is left"):
        run(tmp_path, RM[:1], "--easy", str(easy))
