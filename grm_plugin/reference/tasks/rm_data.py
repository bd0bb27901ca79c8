"""Tasks as RM data: labelled groups in the one JSONL schema that training and evaluation read."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from grm_plugin.reference.tasks.data import TaskGroup, draw_best_of_group
from grm_plugin.reference.tasks.words import Split


def rm_rows(
    number: int, *, seed: int, split: Split, responses: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Groups with one best response by the checker, as rows.

    A row is a function of the seed, the split, its place and its N: more rows begin with the same
    ones.

    Args:
        number: how many groups.
        seed: decides the groups; every seed has its own.
        split: which words and phrasings to use.
        responses: the sizes N, 2..8 each, taken in turn.
    """
    for place in range(number):
        size = responses[place % len(responses)]
        rng = random.Random(f"rm data/{seed}/{split}/{place}")
        yield as_row(draw_best_of_group(rng, split, responses=size), f"{split}-{seed}-{place}")


def as_row(group: TaskGroup, name: str) -> dict[str, Any]:
    """One row: prompt, responses, best, and what groups can be told apart and clustered by.

    Keys beyond the schema: `subset` ("N=4"); `phrasing`, how the first requirement is worded, and
    `phrasings`, how the opener and each requirement are; `kinds` and `requirements`, what is asked;
    `qualities`, the fraction of it that each response fulfils, 0..1.
    """
    task = group.task
    return {
        "id": name,
        "prompt": task.query,
        "responses": list(group.responses),
        "best": group.best,
        "subset": f"N={len(group.responses)}",
        "phrasing": task.phrasings[1],
        "phrasings": list(task.phrasings),
        "kinds": [demand.kind for demand in task.requirements],
        "requirements": [demand.row for demand in task.requirements],
        "qualities": list(group.qualities),
    }
