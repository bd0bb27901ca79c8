"""How well a number tells right judgments from wrong ones. Pure functions.

A judgment that ties at the top is always wrong, so the margin of its own scores tells right from
wrong by itself, and tells nothing about how to vote. :func:`auc` therefore can compare judgments
within strata: those of one margin, say, or of one group.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_Z = 1.959963984540054  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class AUC:
    """The chance, 0..1, that a right judgment has the higher score than a wrong one.

    Args:
        value: a tie of scores counts one half; NaN where there is no pair.
        low, high: its 95 % interval, in which judgments of one cluster may hang together; NaN where
            all are of one cluster, which says nothing of how clusters differ.
        pairs: of one right and one wrong judgment that were compared.
        pulls: by how much each cluster pulls the value up; see :func:`difference`.
    """

    value: float
    low: float
    high: float
    pairs: int
    pulls: Mapping[Hashable, float] = field(default_factory=dict, repr=False)


def auc(
    scores: Sequence[float],
    labels: Sequence[int],
    *,
    strata: Iterable[Hashable] | None = None,
    clusters: Iterable[Hashable] | None = None,
) -> AUC:
    """The area under the ROC curve over all pairs, or over those within a stratum.

    The interval is that of the clustered Hájek projection, which for one judgment a cluster is
    DeLong's.

    Args:
        scores: one a judgment.
        labels: 1 of a right judgment, 0 of a wrong one.
        strata: what each judgment may be compared within, such as its margin; None: anything.
        clusters: what each belongs with, such as its group; None: nothing.

    Raises:
        ValueError: the lengths differ.

    >>> round(auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).value, 2)
    0.75
    >>> auc([1, 2, 1, 2], [0, 1, 1, 0], strata="aabb").value
    0.5
    """
    places = range(len(scores))
    strata = [None for _ in places] if strata is None else list(strata)
    clusters = places if clusters is None else list(clusters)
    judged = list(zip(scores, labels, strict=True))
    won, met = _compared(judged, strata)
    right = [place for place in places if labels[place]]
    pairs = sum(met[place] for place in right)
    if not pairs:
        return AUC(math.nan, math.nan, math.nan, 0)
    value = math.fsum(won[place] for place in right) / pairs
    pulls: dict[Hashable, float] = defaultdict(float)
    for place, cluster in zip(places, clusters, strict=True):
        pulls[cluster] += (won[place] - value * met[place]) / pairs
    inside, among = _compared(judged, list(zip(strata, clusters, strict=True)))
    for place in right:  # a pair within one cluster pulls at it once, not with both of its ends
        pulls[clusters[place]] -= (inside[place] - value * among[place]) / pairs
    half = _Z * _standard_error(pulls)
    low, high = (min(max(end, 0.0), 1.0) for end in (value - half, value + half))
    return AUC(value, low, high, pairs, dict(pulls))


def difference(one: AUC, other: AUC) -> AUC:
    """``one`` minus ``other``, of two numbers about the same judgments in the same clusters.

    The interval is a paired one: it is narrow where both tell the same judgments apart.
    """
    clusters = one.pulls.keys() | other.pulls.keys()
    pulls = {name: one.pulls.get(name, 0.0) - other.pulls.get(name, 0.0) for name in clusters}
    value, half = one.value - other.value, _Z * _standard_error(pulls)
    return AUC(value, value - half, value + half, one.pairs, pulls)


def _compared(
    judged: Sequence[tuple[float, int]], strata: Sequence[Hashable]
) -> tuple[list[float], list[int]]:
    """How many of the other label in its stratum each was compared with, and how many are won.

    A pair counts as won for both where the right judgment has the higher score.
    """
    won, met = [0.0] * len(judged), [0] * len(judged)
    within = defaultdict(list)
    for place, stratum in zip(range(len(judged)), strata, strict=True):
        within[stratum].append(place)
    for members in within.values():
        right = sorted(judged[place][0] for place in members if judged[place][1])
        wrong = sorted(judged[place][0] for place in members if not judged[place][1])
        for place in members:
            score, label = judged[place]
            others = wrong if label else right
            below = (bisect_left(others, score) + bisect_right(others, score)) / 2
            won[place] = below if label else len(others) - below
            met[place] = len(others)
    return won, met


def _standard_error(pulls: Mapping[Hashable, float]) -> float:
    number = len(pulls)
    if number < 2:
        return math.nan
    return math.sqrt(math.fsum(pull**2 for pull in pulls.values()) * number / (number - 1))
