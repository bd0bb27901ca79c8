"""Write judgments of the family's teacher as records: `teacher_records.py OUT`.

A meta RM reads them first: they err where a reader can see it, and more often than the judge does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from grm_plugin.hosts.rows import group_of
from grm_plugin.records import to_line
from grm_plugin.reference.making.evaluation import read_scores
from grm_plugin.reference.tasks.data import TaskGroup, draw_best_of_group
from grm_plugin.reference.tasks.rm_data import as_row
from grm_plugin.reference.tasks.teacher import draw_judgment
from grm_plugin.reference.tasks.words import Split
from grm_plugin.types import Judgment, Verdict

_SPLITS: tuple[Split, Split] = ("spct", "base")
_SIZES = (2, 3, 4)


def main(
    out: Path,
    groups: Annotated[int, typer.Option(min=1, help="Of split spct and base in turn.")] = 15000,
    samples: Annotated[int, typer.Option(min=1, help="Judgments a group.")] = 4,
    careless: Annotated[float, typer.Option(min=0, max=1, help="Share that may err.")] = 0.7,
    seed: Annotated[int, typer.Option(help="Decides groups and judgments.")] = 1,
) -> None:
    """Write one verdict a group to OUT, replaced if it is there."""
    with out.open("wb") as file:
        for place in range(groups):
            rng = random.Random(f"teacher/{seed}/{place}")
            split, size = _SPLITS[place % 2], _SIZES[place % 3]
            group = draw_best_of_group(rng, split, responses=size)
            write = partial(draw_judgment, rng, group.task, group.responses, careless=careless)
            texts = [write() for _ in range(samples)]
            file.write(to_line(_verdict(group, f"teacher-{seed}-{place}", texts)))


def _verdict(group: TaskGroup, name: str, texts: list[str]) -> Verdict:
    asked = group_of(as_row(group, name))
    judgments = tuple(_read(group, texts))
    return Verdict(asked, None, judgments, unscored="never settled", origin={"engine": "teacher"})


def _read(group: TaskGroup, texts: list[str]) -> Iterator[Judgment]:
    size = len(group.responses)
    for sample, text in enumerate(texts):
        if scores := read_scores(text, size):
            yield Judgment(sample, tuple(range(size)), 0, text, scores)


if __name__ == "__main__":
    typer.run(main)
