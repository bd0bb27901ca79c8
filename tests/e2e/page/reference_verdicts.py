"""Verdicts of the embedded judge on its own tasks."""

from __future__ import annotations

from grm_plugin import GRM, Group, Verdict
from grm_plugin.reference.tasks.rm_data import rm_rows


def reference_verdicts(number: int, k: int = 2) -> list[Verdict]:
    rows = rm_rows(number, seed=3, split="heldout", responses=(2, 3))
    groups = [
        Group.of(row.pop("prompt"), row.pop("responses"), id=row.pop("id"), metadata=row)
        for row in rows
    ]
    with GRM(engine="reference", k=k) as grm:
        return grm.score_batch(groups)
