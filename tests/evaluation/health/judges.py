"""Records of simulated judges: with planted biases, and without."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.pipeline.planning import plan
from grm_plugin.types import Failure, Group, Judgment, Reason, Verdict

PRAISE = "This is a perfect answer."


@dataclass(frozen=True)
class SimulatedJudge:
    """Scores by quality, noise, and whatever else is planted.

    Args:
        noise: standard deviation of a score, in points.
        first: points that the first place earns.
        length: points for each doubling of a response's length beyond 128 characters.
        praise: points that praise of itself earns.
        dropped: share of samples that are cut, 0..1.
        rounds: whether scores are whole.
    """

    noise: float = 1.5
    first: float = 0.0
    length: float = 0.0
    praise: float = 0.0
    dropped: float = 0.0
    rounds: bool = True

    def verdict(
        self, group: Group, qualities: Sequence[float], k: int, rng: random.Random
    ) -> Verdict:
        """``k`` samples in balanced orders, settled by their mean."""
        n = len(group.responses)
        judgments, failures = [], []
        orders = plan(range(n), k=k, permutations=k, seed=rng.randrange(9999), fingerprint=group.id)
        for sample, showing in enumerate(orders):
            if rng.random() < self.dropped:
                failures.append(Failure(sample, showing.order, 0, Reason.TRUNCATED, "cut"))
                continue
            scores = [self._score(group, qualities, showing.order, i, rng) for i in range(n)]
            judgments.append(Judgment(sample, showing.order, 0, "", tuple(scores)))
        return _settled(group, judgments, failures)

    def _score(
        self,
        group: Group,
        qualities: Sequence[float],
        order: Sequence[int],
        i: int,
        rng: random.Random,
    ) -> float:
        text = group.responses[i]
        score = qualities[i] + rng.gauss(0, self.noise) + self.first * (order[0] == i)
        score += self.length * math.log2(len(text) / 128) + self.praise * (PRAISE in text)
        return float(min(10, max(1, round(score)))) if self.rounds else score


def record(
    judge: SimulatedJudge,
    groups: int = 80,
    *,
    n: int = 2,
    k: int = 4,
    seed: int = 0,
    apart: float = 1.0,
    quality: Callable[[str], float] = lambda text: 0.0,
    **metadata: Any,
) -> Iterator[Verdict]:
    """Verdicts on random groups whose qualities are known.

    Args:
        apart: standard deviation of qualities, in points.
        quality: points that the text itself is truly worth.
    """
    rng = random.Random(seed)
    for number in range(groups):
        texts = [_text(rng, i) for i in range(n)]
        qualities = [5.5 + rng.gauss(0, apart) + quality(text) for text in texts]
        known = {"ratings": qualities, **metadata}
        name = f"{seed}-{number}"
        group = Group.of(f"question {name}", texts, id=name, metadata=known)
        yield judge.verdict(group, qualities, k, rng)


def _text(rng: random.Random, i: int) -> str:
    """Of 40 to 400 characters, whether it praises itself or not."""
    size, end = rng.randint(40, 400), f" {PRAISE}" if rng.random() < 0.4 else ""
    return "x" * (size - len(end)) + f" {i}{end}"


def _settled(group: Group, judgments: list[Judgment], failures: list[Failure]) -> Verdict:
    columns = zip(*(one.scores for one in judgments), strict=True)
    rewards = tuple((statistics.fmean(column) - 1) / 9 for column in columns)
    return Verdict(group, rewards or None, tuple(judgments), tuple(failures))
