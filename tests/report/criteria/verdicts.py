"""Verdicts whose judgments list criteria, with whatever goes with these planted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from grm_plugin.types import Group, Judgment, Principle, Verdict

Scores = Callable[[random.Random, frozenset[str]], tuple[float, ...]]


def judgment(sample: int, listed: Sequence[str], scores: Sequence[float], **more: Any) -> Judgment:
    """A judgment with equal weights that lists these criteria, of responses in their order."""
    share = 100 / len(listed) if listed else 0
    order = tuple(range(len(scores)))
    said = "\n".join(
        f"Response {n + 1}: {listed} gave {score:g}." for n, score in enumerate(scores)
    )
    principles = tuple(Principle(one, share) for one in listed)
    return Judgment(sample, order, sample, said, tuple(scores), principles=principles, **more)


def verdict(
    name: str, judgments: Sequence[Judgment], prompt: str = "why?", **known: Any
) -> Verdict:
    """A verdict whose rewards are the means of the judgments' scores, 1..10 as 0..1."""
    n = len(judgments[0].scores) if judgments else 2
    columns = [[one.scores[place] or 0.0 for one in judgments] for place in range(n)]
    rewards = tuple((sum(each) / len(each) - 1) / 9 for each in columns) if judgments else None
    group = Group.of(
        f"{prompt} {name}", [f"answer {place}" for place in range(n)], id=name, metadata=known
    )
    return Verdict(group, rewards, tuple(judgments))


def planted(
    groups: int, scores: Scores, criteria: Sequence[str], *, k: int = 6, seed: int = 0, **known: Any
) -> Iterator[Verdict]:
    """Groups of two responses, the first of them best, with k judgments that list half of them."""
    rng = random.Random(seed)
    for number in range(groups):
        judgments = []
        for sample in range(k):
            listed = [one for one in criteria if rng.random() < 0.5] or [rng.choice(criteria)]
            judgments.append(judgment(sample, listed, scores(rng, frozenset(listed))))
        yield verdict(f"g{number}", judgments, best=0, **known)
