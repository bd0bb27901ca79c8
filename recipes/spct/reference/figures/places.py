"""Balanced orders against independent ones, on a judge whose place bias is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.types import Judgment, Verdict
from recipes.spct.reference.figures.intervals import Figure, Slice
from recipes.spct.reference.figures.wide import MEAN

KS = (4, 8)
_MOST = 32
_LOWEST, _HIGHEST = 1, 10


@dataclass(frozen=True)
class Worth:
    """How many independent samples come to as much as k balanced ones; infinite: more than 32."""

    k: int
    independent: float


def biased(verdict: Verdict, points: float) -> Verdict:
    """What a judge that favours early places would have said.

    The first place gets ``points`` more, the last as many less, those between in even steps; no
    score leaves 1..10.
    """
    return replace(verdict, judgments=tuple(_shifted(one, points) for one in verdict.judgments))


def first_place(verdicts: Sequence[Verdict]) -> float:
    """The bias that the judge has by itself: points of the first place above the mean of all."""
    leads = [
        one.scores[one.order[0]] - np.mean([one.scores[n] for n in one.order])
        for verdict in verdicts
        for one in verdict.judgments
    ]
    return float(np.mean(leads))


def balanced(
    slice_: Slice, verdicts: Sequence[Verdict], points: float, *, aimed: bool
) -> Iterator[tuple[Figure, Worth]]:
    """Balanced less independent orders, at each of ``KS``.

    Args:
        slice_: the groups.
        verdicts: of the unbiased judge, with balanced shuffles.
        points: of the bias.
        aimed: whether the figures have an aim.
    """
    samples = Samples.of(biased(one, points) for one in verdicts)
    whole = measure(samples, [MEAN], Design(ks=KS, balanced=True))
    curve = measure(samples, [MEAN], Design(ks=tuple(range(1, _MOST + 1))))
    for k in KS:
        gain_G = whole["mean", k].random_G - curve["mean", k].random_G
        name = f"balanced - independent orders, k = {k}, bias of {points:g}"
        figure = slice_.figure(name, gain_G, least=0.0 if aimed else None)
        means = np.array([curve["mean", one].random_G.mean() for one in range(1, _MOST + 1)])
        yield figure, Worth(k, reached(means, float(whole["mean", k].random_G.mean())))


def reached(curve: Array, height: float) -> float:
    """Where a rising curve over 1, 2, 3, ... first reaches a height, between two of them.

    >>> reached(np.array([0.5, 0.6, 0.7]), 0.65), reached(np.array([0.5, 0.6]), 0.7)
    (2.5, inf)
    """
    above = np.nonzero(curve >= height)[0]
    if not len(above):
        return float("inf")
    at = int(above[0])
    if at == 0:
        return 1.0
    return float(at + (height - curve[at - 1]) / (curve[at] - curve[at - 1]))


def _shifted(judgment: Judgment, points: float) -> Judgment:
    scores = list(judgment.scores)
    bias = np.linspace(points, -points, len(judgment.order))
    for index, favour in zip(judgment.order, bias, strict=True):
        scores[index] = min(_HIGHEST, max(_LOWEST, scores[index] + float(favour)))
    return replace(judgment, scores=tuple(scores))
