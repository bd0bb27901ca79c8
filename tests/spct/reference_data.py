"""RM data of the tasks that the embedded judge knows."""

from __future__ import annotations

from typing import Any

from grm_plugin.reference.judge import MODEL
from grm_plugin.reference.tasks.data import best_of_groups

JUDGE = ("--engine", "transformers", "--model", str(MODEL), "--template", "reference")
"""The embedded judge, as a user's own model would be named."""
SHORT = ("--set", "max_tokens=384", "--set", "engine.batch_tokens=16384")


def rm_rows(number: int, responses: int = 2, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of RM data with one best response each."""
    return [
        {
            "id": f"{responses}/{n}",
            "prompt": group.task.query,
            "responses": list(group.responses),
            "best": group.best,
            "subset": f"N={responses}",
        }
        for n, group in enumerate(
            best_of_groups(seed, "heldout", responses=responses, number=number)
        )
    ]
