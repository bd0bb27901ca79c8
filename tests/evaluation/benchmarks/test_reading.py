"""Where the rows of a benchmark come from, and what is said of what can not be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from grm_plugin.errors import ConfigError, InputError
from tests.evaluation.benchmarks.encrypted import encrypted_zip
from tests.evaluation.benchmarks.formats import written_as
from tests.evaluation.benchmarks.judged import benchmark, written

PAIRS = [
    {"id": n, "prompt": f"q{n}", "chosen": "good", "rejected": "bad", "subset": "hep-go"}
    for n in range(4)
]


def fingerprints(path: Path | str, **options: Any) -> list[str]:
    return [one.fingerprint for one in benchmark("rewardbench", path=str(path), **options)]


@pytest.fixture
def plain(tmp_path: Path) -> list[str]:
    return fingerprints(written(tmp_path / "plain.jsonl", PAIRS))


def test_the_files_of_a_folder_are_read_by_name_and_hidden_ones_are_not(
    tmp_path: Path, plain: list[str]
) -> None:
    folder = tmp_path / "all"
    written(folder / "b" / "2.jsonl", PAIRS[2:])
    written(folder / "a.jsonl", PAIRS[:2])
    written(folder / ".cache" / "x.jsonl", [{"no": "row"}])
    (folder / "README.md").write_text("no data")
    assert fingerprints(folder) == plain


def test_a_saved_data_set_is_read(tmp_path: Path, plain: list[str]) -> None:
    datasets.Dataset.from_list(PAIRS).save_to_disk(str(tmp_path / "saved"))
    assert fingerprints(tmp_path / "saved") == plain


def test_without_a_path_its_data_set_of_the_hub_is_read(
    monkeypatch: pytest.MonkeyPatch, plain: list[str]
) -> None:
    def load_dataset(name: str, config: str | None) -> datasets.DatasetDict:
        assert (name, config) == ("allenai/reward-bench", None)
        found = datasets.Dataset.from_list(PAIRS)
        return datasets.DatasetDict(raw=found.select([0]), filtered=found)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    assert [one.fingerprint for one in benchmark("rewardbench")] == plain


def test_a_benchmark_that_nobody_publishes_needs_a_path() -> None:
    with pytest.raises(
        ConfigError, match=r"benchmark 'labelled': expected the path.*labelled:PATH"
    ):
        list(benchmark("labelled"))


def test_an_archive_with_a_password_is_read_with_it(tmp_path: Path, plain: list[str]) -> None:
    rows = "".join(json.dumps(row) + "\n" for row in PAIRS)
    path = encrypted_zip(tmp_path / "data.zip", {"rb.jsonl": rows}, "open sesame")
    assert fingerprints(path, password="open sesame") == plain
    with pytest.raises(InputError, match=r"data\.zip: expected a password for 'rb\.jsonl'"):
        fingerprints(path)
    with pytest.raises(InputError, match=r"data\.zip"):
        fingerprints(path, password="close sesame")


def broken_zip(path: Path) -> Path:
    whole = written_as(path, PAIRS).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def broken_gzip(path: Path) -> Path:
    path.write_bytes(gzip.compress(json.dumps(PAIRS[0]).encode())[:-12])
    return path


def broken_array(path: Path) -> Path:
    path.write_text(json.dumps(PAIRS)[:-10])
    return path


def broken_line(path: Path) -> Path:
    path.write_text(json.dumps(PAIRS[0]) + "\n{no json}\n")
    return path


@pytest.mark.parametrize(
    ("make", "name", "telling"),
    [
        (broken_zip, "rb.zip", r"rb\.zip can not be read: File is not a zip file"),
        (broken_gzip, "rb.jsonl.gz", r"rb\.jsonl\.gz can not be read: Compressed file ended"),
        (broken_array, "rb.json", r"rb\.json, item 4: expected JSON"),
        (broken_line, "rb.jsonl", r"rb\.jsonl, line 2: expected a JSON object, got '\{no json\}'"),
    ],
)
def test_a_broken_file_is_named_with_the_place(
    tmp_path: Path, make: Any, name: str, telling: str
) -> None:
    with pytest.raises(InputError, match=telling):
        fingerprints(make(tmp_path / name))


def test_a_broken_line_in_an_archive_is_named_with_archive_file_and_line(tmp_path: Path) -> None:
    path = encrypted_zip(tmp_path / "data.zip", {"a/rb.jsonl": "{no json}\n"}, "x")
    with pytest.raises(InputError, match=r"data\.zip/a/rb\.jsonl, line 1: expected a JSON object"):
        fingerprints(path, password="x")


def test_what_is_not_there_and_what_holds_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl can not be read: No such file"):
        fingerprints(tmp_path / "none.jsonl")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty holds no archive and no file that ends in \.json"):
        fingerprints(tmp_path / "empty")
    zipped = encrypted_zip(tmp_path / "empty.zip", {"README.md": "no data"}, "x")
    with pytest.raises(InputError, match=r"empty\.zip holds no rows in files that end in \.json"):
        fingerprints(zipped, password="x")


def test_a_password_beside_no_archive_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "rb.jsonl", PAIRS)
    with pytest.raises(InputError, match="expected a zip archive beside a password"):
        fingerprints(path, password="x")


def test_a_row_that_is_no_object_can_be_skipped_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "rb.jsonl"
    path.write_text(f"{json.dumps(PAIRS[0])}\n[1, 2]\n{json.dumps(PAIRS[1])}\n")
    bench = benchmark("rewardbench", path=str(path), bad_rows="skip")
    assert len(list(bench)) == 2
    assert bench.problems == [f"{path}, line 2: expected an object, got '[1, 2]'"]
