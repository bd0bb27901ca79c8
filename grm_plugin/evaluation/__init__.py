"""How good a judge is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grm_plugin.moved import refuse_old_name

if not TYPE_CHECKING:  # checkers know the names that are there

    def __getattr__(name: str) -> Any:
        if name in ("Estimate", "bootstrap"):
            raise refuse_old_name(name, __name__, f"{__name__}.statistics", (name,))
        moved = ("hit", "hit_at", "best_of_accuracy")
        raise refuse_old_name(name, __name__, f"{__name__}.accuracy", moved)
