"""Records of labelled groups whose judgments tell by a word whether they are right."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grm_plugin.records import to_line
from grm_plugin.types import Failure, Group, Judgment, Reason, Verdict


def verdict(number: int, *, k: int = 4, n: int = 2, **metadata: Any) -> Verdict:
    """Judgments of which those that say `ba` are right, and those that say `ka` are not."""
    rng = random.Random(number)
    best = rng.randrange(n)
    group = Group.of(
        f"bo {number} bi",
        [f"be {number} {each}" for each in range(n)],
        id=f"g{number}",
        metadata={"best": best, **metadata},
    )
    votes = [_judgment(rng, sample, best, n) for sample in range(k)]
    return Verdict(group, None, tuple(votes))


def _judgment(rng: random.Random, sample: int, best: int, n: int) -> Judgment:
    right, ahead = rng.random() < 0.5, rng.randint(1, 4)
    first = best if right else (best + 1) % n
    scores = tuple(float(5 + ahead * (each == first)) for each in range(n))
    word = "ba" if right else "ka"
    order = tuple(rng.sample(range(n), n))
    return Judgment(sample, order, sample, f"la {word} {sample} la {word}", scores)


def failed(sample: int) -> Failure:
    return Failure(sample, (0, 1), 0, Reason.UNREADABLE, "no box")


def write(path: Path, verdicts: Sequence[Verdict]) -> Path:
    path.write_bytes(b"".join(map(to_line, verdicts)))
    return path
