from __future__ import annotations

from pathlib import Path

import pytest

from grm_openrlhf.recording import check_writable, of_engine
from grm_plugin import Group, Verdict
from grm_plugin.errors import RecordError
from grm_plugin.records import to_line
from grm_plugin.running.file_lock import lock


def everything(folder: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() if one.is_file() else b"" for one in folder.rglob("*")}


def test_finding_out_whether_records_can_be_written_leaves_no_trace(tmp_path: Path) -> None:
    line = to_line(Verdict(Group.of("q", ["a"]), (0.5,)))
    of_engine(tmp_path / "v.jsonl", 0).write_bytes(line + line[:40])
    (tmp_path / "there").mkdir()
    before = everything(tmp_path)
    for record in ("v.jsonl", "there/v.jsonl", "there/new/deep/v.jsonl"):
        check_writable(tmp_path / record, 2)
    assert everything(tmp_path) == before


def test_neither_does_finding_out_that_they_can_not(tmp_path: Path) -> None:
    of_engine(tmp_path / "a/b/v.jsonl", 1).mkdir(parents=True)
    before = everything(tmp_path)
    for record in (tmp_path / "a/b/v.jsonl", tmp_path / "c/d/v\0.jsonl"):
        with pytest.raises(RecordError, match="can not be opened"):
            check_writable(record, 2)
    assert everything(tmp_path) == before


def test_a_record_that_somebody_writes_is_refused(tmp_path: Path) -> None:
    with of_engine(tmp_path / "v.jsonl", 0).open("ab", buffering=0) as file:
        lock(file)
        with pytest.raises(RecordError, match="engine0 can not be opened: another process"):
            check_writable(tmp_path / "v.jsonl", 1)
