"""Verdicts with given scores, and random ones, for what is measured on them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from grm_plugin.types import Failure, Group, Judgment, Reason, Verdict

Row = Sequence[float] | None


def verdict(
    *scores_K_N: Row, best: int = 0, meta: Sequence[float | None] = (), **known: Any
) -> Verdict:
    """Samples of one group; None is a dropped one."""
    n = next((len(scores) for scores in scores_K_N if scores), 3)
    order = tuple(range(n))
    name = str(known.pop("id", ""))
    metadata = {"best": best, **known} if n > 1 else {"correct": best, **known}
    votes = [Judgment(k, order, 0, "", tuple(s)) for k, s in enumerate(scores_K_N) if s]
    return Verdict(
        Group.of("q", [f"r{i}" for i in range(n)], id=name, metadata=metadata),
        None,
        tuple(replace(one, meta_score=meta[one.sample]) if meta else one for one in votes),
        tuple(
            Failure(k, order, 0, Reason.TRUNCATED, "cut") for k, s in enumerate(scores_K_N) if not s
        ),
    )


def noisy(rng: random.Random, *, n: int, k: int, skill: float = 1.0, **known: Any) -> Verdict:
    """A judge that sees the best of ``n`` responses ``skill`` points ahead, with much noise."""
    best = rng.randrange(n)
    rows = []
    for _ in range(k):
        true = [5 + skill * (index == best) + rng.gauss(0, 2) for index in range(n)]
        row = [min(10, max(1, round(score))) for score in true]
        rows.append(None if rng.random() < 0.1 else row)
    meta = [rng.gauss(0, 1) for _ in range(k)]
    return verdict(*rows, best=best, meta=meta, **known)
