"""How good a judge is at best-of-N, at every k up to the samples drawn. Pure functions.

A verdict with K samples tells what fewer would have come to: sets of its samples are settled again,
by the same rule that makes rewards.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from grm_plugin.evaluation.outcomes import Ties, credit
from grm_plugin.evaluation.statistics import Estimate, bootstrap
from grm_plugin.evaluation.truth import Best
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.selecting import keep_best
from grm_plugin.pipeline.selectors import weighed
from grm_plugin.pipeline.settling import Rule, Settled, settle
from grm_plugin.pipeline.weighing import Weighing
from grm_plugin.types import Judgment, Sample, Verdict

Marks = Callable[[Sequence[Judgment], int], Sequence[Judgment]]
"""Says who votes among the judgments of one run, which are of k samples."""


def hit(rewards_N: Sequence[float | None] | None, best: int, *, ties: Ties = "random") -> float:
    """The chance, 0..1, that response ``best`` is picked by its reward.

    Args:
        rewards_N: of one group; None for a response without one, or for the whole group. What has
            no reward is not picked, which counts 0 and not as a lucky guess.
        best: index of the response that should win.
        ties: what a tie of m for the top counts: ``random`` 1 / m, which is what breaking ties at
            random comes to; ``half`` 1 / 2, whatever m; ``strict`` 0, as labels for training do.

    A benchmark is stricter: see :func:`grm_plugin.evaluation.outcomes.outcome`.

    >>> hit((0.2, 0.9), best=0), hit((0.5, 0.5), best=0), hit(None, best=0)
    (0.0, 0.5, 0.0)
    >>> [hit((0.5, 0.5, 0.5, None), best=0, ties=way) for way in ("random", "half", "strict")]
    [0.3333333333333333, 0.5, 0.0]
    """
    if rewards_N is None or rewards_N[best] is None:
        return 0.0
    known = [index for index, reward in enumerate(rewards_N) if reward is not None]
    if len(known) == 1:
        return 1.0
    return credit([rewards_N[index] for index in known], Best((known.index(best),)), ties)


def as_recorded(judgments: Sequence[Judgment], k: int) -> Sequence[Judgment]:
    """Those vote that the selector let vote when all samples were there."""
    return judgments


def best_by_meta_score(judgments: Sequence[Judgment], k: int) -> Sequence[Judgment]:
    """Half of k votes, at least one: those with the best recorded meta-scores; all need one."""
    return keep_best(judgments, max(1, k // 2))


def by_weight(weighing: Weighing) -> Marks:
    """Every judgment votes with its weight; a coefficient for meta-scores needs recorded ones."""
    return lambda judgments, k: weighed(judgments, weighing)


def best(k_meta: int) -> Marks:
    """The ``k_meta`` judgments with the highest recorded meta-scores vote."""
    return lambda judgments, k: keep_best(judgments, k_meta)


def all_vote(judgments: Sequence[Judgment], k: int) -> Sequence[Judgment]:
    """Every judgment votes with the same weight, whatever a selector said."""
    return [replace(one, voted=True, weight=1.0) for one in judgments]


def settled_at(verdict: Verdict, rule: Rule, *, k: int, **sets: Any) -> Iterator[Settled]:
    """What ``k`` of the K samples of ``verdict`` come to, for one set of samples after another.

    Args:
        verdict, rule, k: as in :func:`voted_at`.
        sets: its other arguments.

    Raises:
        ValueError: ``k`` is not in 1..K, or the group was not judged at all.
    """
    return (settled for _, settled in voted_at(verdict, rule, k=k, **sets))


def voted_at(
    verdict: Verdict,
    rule: Rule,
    *,
    k: int,
    marks: Marks = as_recorded,
    min_valid: int | None = None,
    seed: int = 0,
    most: int = 256,
) -> Iterator[tuple[list[Judgment], Settled]]:
    """What ``k`` of the K samples of ``verdict`` come to, for one set of samples after another.

    Each comes with the judgments of its set, marked for who voted.

    A dropped sample takes its place among the k. The first set is the first k samples. Their seeds
    are those of a judge with that k. So are their orders where every sample has one of its own
    (``permutations`` is k), but for an odd number of responses at k = 2 in balanced orders. Other
    sets do not show every response at every place equally often. A rule that needs both orders of a
    pair is given the first set alone.

    Args:
        verdict: scored or not, with at least ``k`` samples of each run, dropped ones counted.
        rule: how judgments become rewards.
        k: samples of each run, 1..K.
        marks: who votes in a set.
        min_valid: fewest valid samples of a run; None: half of k, rounded up.
        seed: for the sets, where there are more than ``most``; then random ones come.
        most: sets to settle.

    Raises:
        ValueError: ``k`` is not in 1..K, or the group was not judged at all.

    >>> from grm_plugin import Group
    >>> from grm_plugin.pipeline.voting import mean
    >>> from grm_plugin.types import Scale
    >>> votes = [Judgment(k, (0, 1), 0, "", scores) for k, scores in enumerate([(10, 1), (1, 1)])]
    >>> verdict = Verdict(Group.of("q", ["a", "b"]), None, tuple(votes))
    >>> [each.rewards for _, each in voted_at(verdict, Rule("mean", mean, Scale(1, 10)), k=1)]
    [(1.0, 0.0), (0.0, 0.0)]
    """
    case = Case.of(verdict, k=k, min_valid=min_valid or (k + 1) // 2)
    samples: list[Sample] = [*verdict.judgments, *verdict.failures]
    drawn = sorted({one.sample for one in samples})
    if not drawn:
        raise ValueError(f"group {verdict.group.label} has no samples: {verdict.unscored}")
    if not 1 <= k <= len(drawn):
        raise ValueError(f"k: expected 1..{len(drawn)} of group {verdict.group.label}, got {k}")
    for chosen in _subsets(drawn, k, seed, 1 if rule.both_orders else most):
        runs = (_of_run(verdict.judgments, run, chosen) for run in range(len(case.runs)))
        judgments = [one for run in runs for one in marks(run, k)]
        yield judgments, settle(judgments, case, rule)


def _of_run(judgments: Sequence[Judgment], run: int, samples: Collection[int]) -> list[Judgment]:
    return [one for one in judgments if one.run == run and one.sample in samples]


def _subsets(samples: Sequence[int], k: int, seed: int, most: int) -> Iterator[Collection[int]]:
    if math.comb(len(samples), k) <= most:
        yield from map(set, itertools.combinations(samples, k))
        return
    yield set(samples[:k])
    rng = random.Random(seed)
    for _ in range(most - 1):
        yield set(rng.sample(samples, k))


def hit_at(
    verdict: Verdict, rule: Rule, best: int, *, k: int, ties: Ties = "random", **sets: Any
) -> float:
    """The mean of :func:`hit` over the sets of ``k`` samples of ``verdict``.

    Args:
        verdict, rule, k: as in :func:`settled_at`.
        best: index of the response that should win.
        ties: as in :func:`hit`.
        sets: the other arguments of :func:`voted_at`.

    Raises:
        ValueError: ``k`` is not in 1..K.
    """
    found = settled_at(verdict, rule, k=k, **sets)
    return statistics.fmean(hit(each.rewards, best, ties=ties) for each in found)


def best_of_accuracy(
    verdicts: Sequence[Verdict], rule: Rule, *, k: int, ties: Ties = "random", **sets: Any
) -> dict[int, Estimate]:
    """How often the best response wins when 1, 2, 4, ... k samples vote; 0..1.

    Args:
        verdicts: of groups whose ``metadata["best"]`` is the index of the best response, each
            with at least ``k`` samples, dropped ones counted.
        rule: how judgments become rewards; ``GRM.rule`` of the judge that gave the verdicts.
        k: the most samples.
        ties: as in :func:`hit`.
        sets: the other arguments of :func:`voted_at`.

    Raises:
        ValueError: ``k`` is not in 1..K of every verdict.
    """
    sizes = sorted({k, *(1 << power for power in range(k.bit_length()))})
    return {
        size: bootstrap(
            [
                hit_at(one, rule, one.group.metadata["best"], k=size, ties=ties, **sets)
                for one in verdicts
            ]
        )
        for size in sizes
    }
