"""The groups that scalar RMs learn from: every response rated by the checker.

``python -m recipes.coscaling.groups --split spct --seed 1 --number 9 --sizes 4 --out FILE`` writes
what ``grm train tasks`` writes, with ``ratings`` in place of ``best``: so a scalar RM is told of
every two responses which is better, and not only which is best of all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from grm_plugin.cli.train_tasks import parsed_sizes
from grm_plugin.reference.tasks.rm_data import rm_rows
from grm_plugin.reference.tasks.words import Split


def main(
    split: Annotated[Split, typer.Option(help="Of words and phrasings.")],
    seed: Annotated[int, typer.Option(help="Decides the groups.")],
    number: Annotated[int, typer.Option(min=1, help="How many.")],
    sizes: Annotated[str, typer.Option(help="N of the groups, in turn, as in 2,3,4.")],
    out: Annotated[Path, typer.Option(help="JSONL file.")],
) -> None:
    """Write the groups."""
    responses = parsed_sizes(sizes)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as file:
        for row in rm_rows(number, seed=seed, split=split, responses=responses):
            ratings = row.pop("qualities")
            del row["best"]
            file.write(json.dumps({**row, "ratings": ratings}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    typer.run(main)
