"""Input and output files of ``grm score``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def rows(number: int, **more: Any) -> list[dict[str, Any]]:
    """Input rows with three responses of different lengths; ids count from 0."""
    return [
        {"id": str(i), "prompt": f"question {i}", "responses": ["a", "bbb", "cc"], **more}
        for i in range(number)
    ]


def write(path: Path, values: Sequence[Any]) -> Path:
    """``values`` as JSON lines in ``path``; bytes and text are written as they are."""
    with path.open("wb") as file:
        for value in values:
            line = value if isinstance(value, bytes) else json.dumps(value).encode()
            file.write(line + b"\n")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """The records in ``path`` without what differs from run to run."""
    return [timeless(json.loads(line)) for line in path.read_bytes().splitlines()]


def timeless(record: dict[str, Any]) -> dict[str, Any]:
    """``record`` without its wall seconds."""
    record["cost"].pop("seconds")
    for sample in (*record["judgments"], *record["failures"]):
        sample.pop("seconds")
    return record
