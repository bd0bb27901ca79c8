"""Which labelled groups a meta RM is trained on, and which are held out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from grm_plugin.errors import InputError
from grm_plugin.types import Group, digest

Split = Literal["train", "validation"]


@dataclass(frozen=True)
class Splitting:
    """Which values are held out; a function of the values and nothing else.

    A group that shows a value that is held out is validation data: no training group shows one.

    Args:
        by: the name in the metadata of groups that says what belongs together, such as `source`. A
            list there holds several values, such as every phrasing that a prompt shows; a group is
            then held out for one of them, and training may show the others. None: the conversation.
        validation: the share of values that is held out, 0..1. Where groups show several, the
            share of groups is larger.
        seed: decides which.
    """

    by: str | None = None
    validation: float = 0.1
    seed: int = 0

    def values(self, group: Group) -> tuple[str, ...]:
        """What ``group`` shows, one value at least.

        Raises:
            InputError: its metadata have no such name, or an empty list there.
        """
        if self.by is None:
            return (digest("\0".join(turn.content for turn in group.conversation)),)
        if self.by not in group.metadata:
            raise InputError(
                f"group {group.label}: expected {self.by!r} in its metadata, got "
                f"{', '.join(sorted(group.metadata)) or 'none'}"
            )
        found = group.metadata[self.by]
        if found == []:
            raise InputError(f"group {group.label}: expected a value in {self.by!r}, got none")
        return tuple(map(_named, found if isinstance(found, list) else [found]))

    def held_out(self, values: Iterable[str]) -> set[str]:
        """Those of ``values`` that are held out: the share that is asked for, one at least."""
        found = sorted(set(values), key=lambda name: digest(f"{self.seed}/{name}"))
        number = max(1, round(self.validation * len(found))) if self.validation else 0
        return set(found[:number])


def _named(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
