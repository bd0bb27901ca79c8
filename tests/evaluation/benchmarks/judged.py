"""Items with given rewards, and benchmarks over files written for a test."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.evaluation.items import Item
from grm_plugin.plugins import installed
from grm_plugin.types import Group

Rewards = Sequence[float | None] | None


def written(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """``rows`` as JSON lines in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def benchmark(name: str, **options: Any) -> Any:
    """The benchmark as `grm eval` makes it."""
    return installed().make("benchmark", name, options, Limits())


def item(rewards: Rewards, **metadata: Any) -> Item:
    """One group of as many responses as rewards, or two; the first is best unless told."""
    n = len(rewards) if rewards else 2
    if not metadata.keys() & {"best", "correct", "ratings"}:
        metadata["best"] = 0
    name = f"{random.getrandbits(64):x}"
    group = Group.of(name, [f"r{i}" for i in range(n)], id=name, metadata=metadata)
    return Item.of(group, None if rewards is None else tuple(rewards))


def judged(groups: Iterable[Group], rewards: Iterable[Rewards]) -> list[Item]:
    """Items of ``groups`` with the rewards given, in order."""
    found = zip(groups, rewards, strict=True)
    return [Item.of(group, None if one is None else tuple(one)) for group, one in found]
