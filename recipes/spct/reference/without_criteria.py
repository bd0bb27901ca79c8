"""Cut the criteria out of the judgments of SFT rows: `without_criteria.py IN OUT`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import typer

from grm_plugin.hosts.inputs.lines import read_json_lines
from grm_plugin.running.whole_file import writing

_CRITERIA = re.compile(r"^Specific Criteria:\n(?:\d+\. .*\n)*", re.MULTILINE)


def main(rows: Path, out: Path) -> None:
    """Write the rows to OUT, each completion without its criteria; the rest stays as it is."""
    with writing(out) as file:
        for _, row in read_json_lines(rows):
            file.write(json.dumps(without_criteria(row), ensure_ascii=False) + "\n")


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
