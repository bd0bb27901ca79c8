"""The same rows in every format that benchmarks are read from."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

Rows = Sequence[Mapping[str, Any]]


def written_as(path: Path, rows: Rows) -> Path:
    """``rows`` in a file, or in two files of an archive, by the name's ending."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    match path.name.split(".", 1)[1]:
        case "csv":
            _csv(path, rows)
        case "json":
            path.write_text(json.dumps(rows, indent=1))
        case "jsonl.gz":
            path.write_bytes(gzip.compress(lines.encode()))
        case "parquet":
            _parquet(path, rows)
        case "zip":
            _zip(path, rows)
        case "tar.xz":
            _tar(path, rows)
    return path


def _csv(path: Path, rows: Rows) -> None:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def _parquet(path: Path, rows: Rows) -> None:
    parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in rows]), path)


def _zip(path: Path, rows: Rows) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, some in _halves(rows):
            archive.writestr(name, json.dumps(some))
        archive.writestr("__MACOSX/._1.json", "no data")


def _tar(path: Path, rows: Rows) -> None:
    with tarfile.open(path, "w:xz") as archive:
        for name, some in _halves(rows):
            text = json.dumps(some).encode()
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))


def _halves(rows: Rows) -> list[tuple[str, Rows]]:
    half = len(rows) // 2
    return [("data/1.json", rows[:half]), ("data/2.json", rows[half:])]
