"""Files, tables and data sets: what of them becomes rows, and how much of it is in memory."""

from __future__ import annotations

import gzip
import json
import os
import sys
import threading
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import ConfigError, EngineError, InputError
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.types import Group

ROW = {"prompt": "q", "responses": ["a", "b"]}
LINE = json.dumps(ROW)


def groups(path: Path | str, columns: Iterable[str] = (), **more: Any) -> list[Group]:
    return list(Input(str(path), columns=Columns.parse(columns), **more).groups())


def refusal(path: Path | str, columns: Iterable[str] = (), **more: Any) -> str:
    with pytest.raises(InputError) as caught:
        groups(path, columns, **more)
    said = str(caught.value)
    return said.replace(f"{Path(path).parent}/", "") if Path(path).is_absolute() else said


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def of(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"prompt": f"question {n}", "responses": ["a", "b"], **more} for n in range(count)]


def prompts(found: Iterable[Group]) -> list[str]:
    return [group.conversation[0].content for group in found]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", f"{LINE}\n\n{LINE}"),
        ("rows.jsonl", f"\ufeff{LINE}\r\n{LINE}\r\n"),
        ("rows.json", f"\ufeff [\n{LINE} ,\n{LINE}]\n"),
        ("rows.json", f"{LINE}\n{LINE}\n"),
        ("rows", f"{LINE}\n{LINE}\n"),
        ("rows.csv", '\ufeffprompt,completions\r\nq,"[""a"",""b""]"\r\n\r\nq,"[""a"", ""b""]"\r\n'),
        ("rows.tsv", "prompt\tchosen\trejected\nq\ta\tb\nq\ta\tb\n"),
        ("rows.csv", ",prompt,chosen,rejected\n0,q,a,b\n1,q,a,b\n"),
    ],
    ids=["lines", "BOM and CRLF", "array", "lines in .json", "no suffix", "CSV", "TSV", "index"],
)
def test_files_of_texts_hold_rows(tmp_path: Path, name: str, content: str) -> None:
    found = groups(written(tmp_path / name, content))
    assert [(group.conversation[0].content, group.responses) for group in found] == [
        ("q", ("a", "b"))
    ] * 2
    packed = written(tmp_path / f"{name}.gz", gzip.compress(content.encode()))
    assert [group.fingerprint for group in groups(packed)] == [one.fingerprint for one in found]


@pytest.mark.parametrize(
    ("name", "content", "telling"),
    [
        ("r.jsonl", f"{LINE}\n{{", "r.jsonl, line 2: expected a JSON object, got '{'"),
        ("r.jsonl", '{"prompt": "q", "prompt": "r"}', "line 1: expected a JSON object, got"),
        ("r.jsonl", '{"prompt": "q", "prompt": "r"}', "(key 'prompt' is there twice)"),
        ("r.jsonl", '{"a": {"b": 1, "b": 1}}', "(key 'b' is there twice)"),
        ("r.jsonl", '{"a": ' + "9" * 5000 + "}", "line 1: expected a JSON object"),
        ("r.jsonl", '{"a": Infinity}', "Infinity is no JSON number"),
        ("r.jsonl", '{"a": 1e999}', "'1e999' is more than a number can be"),
        ("r.jsonl", '{"a": ' + "[" * 100_000, "line 1: expected a JSON object"),
        ("r.jsonl", b"\xff\xfe{", "line 1: expected UTF-8, got b'\\xff'"),
        ("r.json", f"[{LINE}, {{]", "r.json, item 2: expected JSON, got '{]' (Expecting property"),
        (
            "r.json",
            f"[{LINE}",
            "r.json, item 2: expected JSON, got '' where the array goes on or ends",
        ),
        ("r.json", f"[{LINE} {LINE}]", "item 2: expected JSON, got '{' where the array goes on"),
        ("r.json", f"[{LINE}] x", "item 2: expected JSON, got 'x' behind the array"),
        ("r.json", f"[{LINE}, 7]", "item 2: expected a JSON object with prompt and responses"),
        ("r.json", f"[{LINE},]", "item 2: expected JSON, got ']'"),
        ("r.json", f"[,{LINE}]", "item 1: expected JSON, got ',{"),
        ("r.json", "[" * 100_000, "item 1: expected JSON, got"),
        ("r.json", b"[{\xff", "item 1: expected JSON, got"),
        ("r.csv", "prompt,completion\nq\n", "r.csv, row 1 (up to line 2): expected 2 cells, got 1"),
        ("r.csv", "prompt,completion\nq,a,b\n", "row 1 (up to line 2): expected 2 cells, got 3"),
        ("r.csv", 'prompt,completion\n"q\nr",a\nq\n', "row 2 (up to line 4)"),
        ("r.csv", "prompt,prompt\nq,a\n", "line 1: expected each column once, got 'prompt' twice"),
        ("r.csv", 'prompt,completion\n"q"x,a\n', "line 2: expected CSV, got"),
        ("r.csv", 'prompt,completion\n"q', "line 2: expected CSV, got unexpected end of data"),
        ("r.csv", b"prompt,completion\nq\xff,a\n", "line 2: expected UTF-8, got b'\\xff'"),
        ("r.csv", "prompt,completion\n,a\n", "prompt: expected a text or a list of messages"),
        ("r.csv", "prompt,responses\nq,[a\n", "responses: expected a JSON object, got '[a'"),
        ("r.csv", "prompt,responses\nq,a\n", "responses: expected a list of texts or messages"),
        ("r.jsonl.gz", b"no gzip", "r.jsonl.gz can not be read: Not a gzipped file"),
        ("r.jsonl.gz", gzip.compress(b"x" * 99)[:-9], "r.jsonl.gz can not be read: Compressed"),
        ("r.jsonl.gz", gzip.compress(b"x" * 99)[:-9] + b"x" * 9, "r.jsonl.gz can not be read: "),
        ("r.parquet", "PAR1 no table PAR1", "r.parquet can not be read as Parquet: "),
        ("r.jsonl", f'{LINE[:-1]}, "id": 1}}\n' * 2, "line 2: id: expected one for each row"),
    ],
)
def test_what_is_no_row_is_refused_by_its_place(
    tmp_path: Path, name: str, content: bytes | str, telling: str
) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    said = refusal(written(tmp_path / name, content))
    assert telling in said
    assert said.isprintable() and len(said) < 400


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "r.json", "r.jsonl.gz"])
def test_a_line_of_a_gigabyte_is_refused_and_never_in_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    start = {"r.json": b'[{"prompt": "', "r.csv": b"prompt,completion\n"}.get(name, b'{"prompt": "')
    if name.endswith(".gz"):
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(start)
            for _ in range(128):
                file.write(b" " * (1 << 20))
    else:
        with path.open("wb") as file:
            file.write(start)
            file.truncate(1 << 30)  # a hole: takes no place on the disk
    tracemalloc.start()
    try:
        said = refusal(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "64 MB" in said
    assert peak < 320 << 20


def big(name: str) -> str:
    """2,000 rows of 5,000 characters."""
    rows = of(2000, note="x" * 5000)
    if name.endswith(".csv"):
        lines = (f"{row['prompt']},a,b,{row['note']}" for row in rows)
        return "\n".join(["prompt,chosen,rejected,note", *lines])
    return json.dumps(rows) if name.endswith(".json") else "\n".join(map(json.dumps, rows))


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "r.json"])
def test_rows_are_read_one_at_a_time(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, big(name))
    tracemalloc.start()
    try:
        count = sum(1 for _ in Input(str(path)).groups())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 2000
    assert peak < 6 << 20 < path.stat().st_size


@pytest.mark.parametrize("name", ["r.json", "r.csv", "r.jsonl"])
def test_a_pipe_may_have_any_format_of_texts(tmp_path: Path, name: str) -> None:
    content = {"r.json": f"[{LINE}]", "r.csv": "prompt,chosen,rejected\nq,a,b\n"}.get(name, LINE)
    pipe = tmp_path / name
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(content,))
    writer.start()
    found = groups(pipe)
    writer.join()
    assert [group.responses for group in found] == [("a", "b")]
    assert not Input(str(pipe)).can_be_read_again


def test_a_parquet_file_is_read_a_batch_at_a_time(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = arrow.Table.from_pylist(of(4000))
    table = table.append_column("note", [[f"{n}" * 2000 for n in range(4000)]])
    parquet.write_table(table, tmp_path / "r.parquet", row_group_size=100, compression="none")
    del table
    before = arrow.total_allocated_bytes()
    found = Input(str(tmp_path / "r.parquet")).groups()
    held = [arrow.total_allocated_bytes() - before for _ in found]
    assert len(held) == 4000
    assert max(held) < (tmp_path / "r.parquet").stat().st_size / 4


def test_columns_of_a_table_may_have_other_names(tmp_path: Path) -> None:
    path = written(tmp_path / "r.csv", "question,a,b,gold,id\nq,x,y,42,1\nq,x,y,,1\n")
    first, second = groups(path, ["prompt=question,responses=a+b", "reference=gold,id="])
    assert (first.responses, first.reference, first.id) == (("x", "y"), "42", "")
    assert (second.reference, second.metadata) == (None, {"id": "1"})


@pytest.mark.parametrize(
    ("columns", "telling"),
    [
        ("prompt", "columns: expected KEY=COLUMN, got 'prompt'"),
        ("promt=x", "columns: unknown key 'promt'; known: "),
        ("prompt=a+b", "columns: prompt: expected one column, got 'a+b'"),
        ("prompt=a,prompt=b", "columns: expected prompt once, got it twice"),
    ],
)
def test_a_wrong_name_of_a_key_is_refused(columns: str, telling: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Columns.parse([columns])
    assert telling in str(caught.value)


def test_a_column_that_is_not_there_names_its_neighbour(tmp_path: Path) -> None:
    path = written(tmp_path / "r.csv", "question,answers\nq,a\n")
    assert "did you mean prompt=question" in refusal(path, ["completion=answers"])
    said = refusal(path, ["prompt=qestion", "completion=answers"])
    assert "row 1 (up to line 2): columns: prompt: unknown column 'qestion'" in said
    assert "did you mean 'question'?" in said


def test_a_saved_data_set_and_a_folder_of_files_hold_rows(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_list(of(70))
    data.save_to_disk(str(tmp_path / "one"))
    data.select([3, 1]).save_to_disk(str(tmp_path / "picked"))
    assert prompts(groups(tmp_path / "one")) == [row["prompt"] for row in of(70)]
    assert prompts(groups(tmp_path / "picked")) == ["question 3", "question 1"]
    (tmp_path / "files").mkdir()
    written(tmp_path / "files" / "train.jsonl", f"{LINE}\n")
    assert prompts(groups(tmp_path / "files")) == ["q"]
    assert "has no splits; leave out --split test" in refusal(tmp_path / "one", split="test")


def test_of_a_data_set_with_several_splits_one_is_named(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    parts = {name: datasets.Dataset.from_list(of(n)) for name, n in (("train", 3), ("test", 2))}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "both"))
    datasets.DatasetDict(train=parts["train"]).save_to_disk(str(tmp_path / "train"))
    assert len(groups(tmp_path / "both", split="test")) == 2
    assert len(groups(tmp_path / "train")) == 3
    assert refusal(tmp_path / "both") == "both has the splits train, test; name one with --split"
    assert "unknown split 'tset'; known: test, train; did you mean 'test'?" in refusal(
        tmp_path / "both", split="tset"
    )


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub that is a folder: ``owner/name`` is a path from where we are."""
    pytest.importorskip("datasets")
    folder = tmp_path / "owner" / "name"
    folder.mkdir(parents=True)
    written(folder / "train.jsonl", "".join(f"{json.dumps(row)}\n" for row in of(3)))
    written(folder / "test.jsonl", f"{LINE}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return folder


def test_a_data_set_of_the_hub_is_named_with_its_split(hub: Path) -> None:
    assert len(groups("hub:owner/name:train")) == 3
    assert len(groups("hub:owner/name", split="test")) == 1
    assert len(groups("hub:owner/name:default:train")) == 3
    assert "has the splits" in refusal("hub:owner/name")
    assert "can not be loaded: " in refusal("hub:owner/name:other:train")
    assert "is not written as hub:owner/name" in refusal("hub:owner/name:a:b:c")


def test_a_hub_that_can_not_be_reached_is_told_as_that() -> None:
    pytest.importorskip("datasets")
    said = refusal("hub:nobody-at-all/no-such-set")
    assert said.startswith("hub:nobody-at-all/no-such-set can not be loaded: ")
    assert said.isprintable()


def test_a_name_of_the_hub_without_its_mark_gets_a_hint() -> None:
    said = refusal("owner/name")
    assert "owner/name can not be read: No such file or directory" in said
    assert "a data set of the hub is written hub:owner/name" in said
    assert "hub" not in refusal("folder/rows.jsonl")


def test_a_split_of_a_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", LINE)
    assert refusal(path, split="train") == "r.jsonl has no splits; leave out --split train"


@pytest.mark.parametrize(("name", "module"), [("r.parquet", "pyarrow"), ("hub:a/b", "datasets")])
def test_a_library_that_is_missing_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: str
) -> None:
    for one in [loaded for loaded in sys.modules if loaded.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, one)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineError, match=r'pip install "grm-plugin\[data\]"'):
        groups(name if ":" in name else written(tmp_path / name, "PAR1"))


def test_pictures_in_a_table_are_parts_that_the_judge_can_not_see(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    picture = {"bytes": b"\x89PNG", "path": "cat.png"}
    table = arrow.Table.from_pylist([{**ROW, "images": [picture], "thumbnail": picture}])
    pytest.importorskip("pyarrow.parquet").write_table(table, tmp_path / "r.parquet")
    assert "row 1: prompt.0.content: expected texts, got a part 'image'" in refusal(
        tmp_path / "r.parquet"
    )
    (group,) = groups(tmp_path / "r.parquet", ["images="])
    assert group.metadata["thumbnail"] == {"bytes": "[4 bytes]", "path": "cat.png"}
