"""``grm train tasks``: writes labelled groups of the reference tasks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from typer import BadParameter, Option

from grm_plugin.cli.ks import whole_numbers
from grm_plugin.errors import quoted
from grm_plugin.reference.tasks.data import MAX_RESPONSES
from grm_plugin.reference.tasks.rm_data import rm_rows
from grm_plugin.reference.tasks.words import Split
from grm_plugin.report.terminal import say


def parsed_sizes(text: str) -> tuple[int, ...]:
    """Group sizes as `2,3,4`.

    Raises:
        BadParameter: one of them is not 2..8.

    >>> parsed_sizes("2, 4")
    (2, 4)
    """
    sizes = whole_numbers(text)
    if sizes and all(2 <= size <= MAX_RESPONSES for size in sizes):
        return sizes
    raise BadParameter(f"expected sizes of 2..{MAX_RESPONSES} as in 2,3,4, got {quoted(text)}")


def tasks(
    out: Annotated[Path, Option("--out", "-o", help="JSONL file, replaced if it is there.")],
    split: Annotated[
        Split, Option(help="Which words and phrasings; no two splits share any.")
    ] = "spct",
    groups: Annotated[int, Option(min=1, help="How many groups.")] = 1500,
    responses: Annotated[
        Any, Option(metavar="N,N,...", parser=parsed_sizes, help="Sizes N of groups, in turn.")
    ] = "2,3,4",
    seed: Annotated[int, Option(help="Decides the groups.")] = 1,
) -> None:
    """Write RM data of the reference tasks: groups with one best response by the checker.

    The same seed and split give the same file; a longer one begins with a shorter.
    """
    rows = rm_rows(groups, seed=seed, split=split, responses=responses)
    _write(out, rows)
    sizes = ", ".join(map(str, responses))
    say(f"{groups} groups of split {split} with {sizes} responses in {out}")


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines)
