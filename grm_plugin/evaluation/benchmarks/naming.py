"""What the names of files and folders say about the rows in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.benchmarks.reading import Row


def parts_of(row: Row, path: str) -> tuple[str, ...]:
    """The names on the way to the file of a row, the file's own last.

    Args:
        row: of a benchmark.
        path: what was read.
    """
    above = PurePosixPath(path)
    return (*(above.parent if above.name == row.file.name else above).parts, *row.file.parts)


def folder_of(row: Row, path: str) -> str:
    """The folder that the file of a row lies in.

    >>> folder_of(Row({}, PurePosixPath("dataset.json"), 0, ""), "LLMBar/Natural/dataset.json")
    'Natural'
    """
    return (("", *parts_of(row, path))[-2:])[0]


def named_in(row: Row, path: str, names: Mapping[str, str], *, what: str) -> str:
    """Which of some names the file of a row goes by, or a folder that it lies in.

    Args:
        row: of a benchmark.
        path: what was read.
        names: by how they are spelled in file names, without punctuation, in lower case; of two
            that fit the earlier one counts.
        what: how errors call it.

    Raises:
        InputError: none of them.

    >>> row = Row({}, PurePosixPath("PPE-MBPP-Plus-Best-of-K.parquet"), 0, "")
    >>> named_in(row, "data", {"mbppplus": "MBPP-Plus"}, what="data set")
    'MBPP-Plus'
    """
    for part in reversed(parts_of(row, path)):
        plain = re.sub(r"[^a-z0-9]", "", part.lower())
        for spelled, name in names.items():
            if spelled in plain:
                return name
    raise InputError(
        f"{what}: expected a file or folder named after one of {', '.join(names.values())}, got "
        f"{quoted(str(row.file))}"
    )
