"""``grm score`` on inputs that are no JSON lines: files as data sets have them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grm_plugin.records import read_verdicts
from tests.cli.conftest import Ended
from tests.cli.files import read, rows, write

Grm = Callable[..., Ended]
TINY = ("--engine", "tiny", "--set", "engine.log=log", "-k", "2")
PAIRS = "question,good,bad,source\nWhich tree?,oak,mossy,book\nWhich stone?,flint,log,web\n"


def test_a_table_of_pairs_is_scored_and_its_other_columns_are_kept(
    grm: Grm, tmp_path: Path
) -> None:
    (tmp_path / "pairs.csv").write_text(PAIRS)
    named = ("--columns", "prompt=question,chosen=good", "--columns", "rejected=bad")
    ended = grm("score", "pairs.csv", "-o", "out.jsonl", *named, *TINY)
    assert ended.code == 0, ended.err
    first, second = read_verdicts(tmp_path / "out.jsonl")
    assert first.group.responses == ("oak", "mossy")
    assert first.rewards == pytest.approx((3 / 9, 5 / 9))
    assert [one.group.metadata for one in (first, second)] == [
        {"source": "book", "best": 0},
        {"source": "web", "best": 0},
    ]


def test_a_column_that_is_missing_is_named_before_a_token_is_spent(
    grm: Grm, tmp_path: Path
) -> None:
    (tmp_path / "pairs.csv").write_text(PAIRS)
    ended = grm("score", "pairs.csv", "-o", "out.jsonl", *TINY)
    assert ended.code == 1
    assert "error: pairs.csv, row 1 (up to line 2): expected a key 'responses'" in ended.err
    ended = grm("score", "pairs.csv", "-o", "out.jsonl", "--columns", "prompt=qestion", *TINY)
    assert "columns: prompt: unknown column 'qestion'" in ended.err
    ended = grm("score", "pairs.csv", "-o", "out.jsonl", "--columns", "prmpt=question", *TINY)
    assert "columns: unknown key 'prmpt'" in ended.err
    assert not (tmp_path / "log").exists()


def test_the_same_groups_in_another_format_need_no_judge(grm: Grm, tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    datasets = pytest.importorskip("datasets")
    write(tmp_path / "in.jsonl", rows(3))
    assert grm("score", "in.jsonl", "-o", "out.jsonl", *TINY).code == 0
    before = read(tmp_path / "out.jsonl")
    (tmp_path / "log").unlink()
    (tmp_path / "in.json").write_text(json.dumps(rows(3)))
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(rows(3)), tmp_path / "in.parquet")
    table = datasets.Dataset.from_list(rows(3))
    datasets.DatasetDict(train=table, test=table.select([0])).save_to_disk(str(tmp_path / "saved"))
    for source in (("in.json",), ("in.parquet",), ("saved", "--split", "train")):
        ended = grm("score", *source, "-o", "out.jsonl", *TINY)
        assert (ended.code, "verdicts in out.jsonl already: 3" in ended.err) == (0, True)
    assert read(tmp_path / "out.jsonl") == before
    assert not (tmp_path / "log").exists()


def test_a_limit_is_of_rows_whatever_the_format(grm: Grm, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(PAIRS.replace("good,bad", "chosen,rejected"))
    named = ("--columns", "prompt=question", "--limit", "1")
    assert grm("score", "pairs.csv", "-o", "out.jsonl", *named, *TINY).code == 0
    assert len(read(tmp_path / "out.jsonl")) == 1


def test_marks_of_thinking_in_the_settings_are_those_of_the_rows(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [{"prompt": "q", "responses": ["<plan>elm</plan>oak", "ash"]}])
    (tmp_path / "c.yaml").write_text("thinking: {marks: [['<plan>', '</plan>']]}\n")
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", "--config", "c.yaml", *TINY)
    assert ended.code == 0, ended.err
    (verdict,) = read_verdicts(tmp_path / "out.jsonl")
    assert verdict.group.responses == ("oak", "ash")


def test_an_output_inside_the_input_is_refused(grm: Grm, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "train.jsonl", rows(1))
    ended = grm("score", "data", "-o", "data/out.jsonl", *TINY)
    assert (ended.code, "data/out.jsonl lies in the input data" in ended.err) == (1, True)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (("in.jsonl", "--split", "train"), "in.jsonl has no splits; leave out --split train"),
        (("owner/name",), "a data set of the hub is written hub:owner/name"),
        (("hub:owner/name",), "hub:owner/name can not be loaded: "),
    ],
)
def test_an_input_that_is_not_there_is_one_clean_line(
    grm: Grm, source: tuple[str, ...], said: str
) -> None:
    pytest.importorskip("datasets")
    ended = grm("score", *source, "-o", "out.jsonl", *TINY)
    assert ended.code == 1
    assert said in ended.err
    assert ended.err.startswith("error: ")


def test_an_id_that_is_no_unicode_text_is_found_again(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [{**row, "id": f"{row['id']}\ud800"} for row in rows(2)])
    for limit in ("1", "2"):
        ended = grm("score", "in.jsonl", "-o", "out.jsonl", "--limit", limit, *TINY)
        assert ended.code == 0, ended.err
    found = [verdict.group.id for verdict in read_verdicts(tmp_path / "out.jsonl")]
    assert found == ["0\ufffd", "1\ufffd"]
