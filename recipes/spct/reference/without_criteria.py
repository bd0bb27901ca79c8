"""Cut the criteria out of the judgments of SFT rows: `without_criteria.py IN OUT`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import typer

_CRITERIA = re.compile(r"^Specific Criteria:\n(?:\d+\. .*\n)*", re.MULTILINE)


def main(rows: Path, out: Path) -> None:
    """Write the rows to OUT, each completion without its criteria; the rest stays as it is."""
    lines = rows.read_text(encoding="utf-8").splitlines()
    cut = [json.dumps(without_criteria(json.loads(line)), ensure_ascii=False) for line in lines]
    out.write_text("".join(f"{line}\n" for line in cut), encoding="utf-8")


def without_criteria(row: dict[str, Any]) -> dict[str, Any]:
    """The row with judgments that begin with the critique.

    >>> text = "Specific Criteria:\\n1. exactly 2 items (weight 10)\\nAnalysis:\\n..."
    >>> without_criteria({"completion": [{"role": "assistant", "content": text}]})
    {'completion': [{'role': 'assistant', 'content': 'Analysis:\\n...'}]}
    """
    turns = [{**turn, "content": _CRITERIA.sub("", turn["content"])} for turn in row["completion"]]
    return {**row, "completion": turns}


if __name__ == "__main__":
    typer.run(main)
