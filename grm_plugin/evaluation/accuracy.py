"""How good a judge is at best-of-N: accuracy for every k, and its interval. Pure functions."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Iterator, Sequence

from grm_plugin.evaluation.statistics import Estimate, bootstrap
from grm_plugin.types import Verdict

Scores_K_N = Sequence[Sequence[float] | None]


def hit(scores_K_N: Scores_K_N, best: int) -> float:
    """The chance, 0..1, that the vote over all K samples picks response ``best``.

    The vote is the sum of scores (eq. 14 of arXiv:2504.02495); a tie for the top is broken at
    random, so ``best`` in a tie of m counts 1 / m. None is a sample without scores and does not
    vote. Without any vote nothing is picked, which counts 0 and not as a lucky guess.

    >>> hit([(1, 5), (8, 5), None], best=0), hit([(5, 5)], best=0), hit([None], best=0)
    (0.0, 0.5, 0.0)
    """
    votes = [scores for scores in scores_K_N if scores is not None]
    totals = [sum(column) for column in zip(*votes, strict=True)]
    if not totals or totals[best] < max(totals):
        return 0.0
    return 1 / totals.count(max(totals))


def hit_at(scores_K_N: Scores_K_N, best: int, *, k: int, seed: int = 0, most: int = 256) -> float:
    """The mean of :func:`hit` over the sets of ``k`` of the K samples that were drawn.

    Args:
        scores_K_N: points; None for a sample that was dropped: it takes a place among the k.
        best: index of the response that should win.
        k: 1..K.
        seed: for the sets, where there are more than ``most``; then ``most`` random ones count.
        most: sets to look at.

    Raises:
        ValueError: ``k`` is not in 1..K.

    >>> hit_at([(9, 5), (5, 9)], best=0, k=1), hit_at([(9, 5), (5, 9)], best=0, k=2)
    (0.5, 0.5)
    """
    if not 1 <= k <= len(scores_K_N):
        raise ValueError(f"k: expected 1..{len(scores_K_N)}, got {k}")
    chosen = _subsets(len(scores_K_N), k, seed, most)
    return statistics.fmean(hit([scores_K_N[j] for j in subset], best) for subset in chosen)


def _subsets(total: int, k: int, seed: int, most: int) -> Iterator[Sequence[int]]:
    if math.comb(total, k) <= most:
        yield from itertools.combinations(range(total), k)
        return
    rng = random.Random(seed)
    for _ in range(most):
        yield rng.sample(range(total), k)


def scores_of(verdict: Verdict) -> list[Sequence[float] | None]:
    """The points of each sample of ``verdict``, by sample number; None for a dropped one.

    Raises:
        ValueError: a response was not shown in a sample: the group was split.
    """
    samples: dict[int, Sequence[float] | None] = {one.sample: None for one in verdict.failures}
    for one in verdict.judgments:
        samples[one.sample] = known = [score for score in one.scores if score is not None]
        if len(known) < len(one.scores):
            raise ValueError(
                f"group {verdict.group.label} was judged in parts; its samples do not compare"
            )
    return [samples[sample] for sample in sorted(samples)]


def best_of_accuracy(verdicts: Sequence[Verdict], *, k: int, seed: int = 0) -> dict[int, Estimate]:
    """How often the best response wins when 1, 2, 4, ... k samples vote; 0..1.

    Args:
        verdicts: of groups whose ``metadata["best"]`` is the index of the best response, each
            with at least ``k`` samples, dropped ones counted.
        k: the most samples.
        seed: for the intervals and, with many samples, for the sets of them.
    """
    sizes = sorted({k, *(1 << power for power in range(k.bit_length()))})
    rows = [(scores_of(verdict), verdict.group.metadata["best"]) for verdict in verdicts]
    return {
        size: bootstrap(
            [hit_at(scores, best, k=size, seed=seed) for scores, best in rows], seed=seed
        )
        for size in sizes
    }
