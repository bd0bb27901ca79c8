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
        low, high: its 95 % interval, in which judgments of one cluster may hang together.
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
    within = defaultdict(list)
    for place, stratum in zip(places, places if strata is None else strata, strict=True):
        within[None if strata is None else stratum].append(place)
    won, met = [0.0] * len(scores), [0] * len(scores)
    for members in within.values():
        _compare(members, scores, labels, won, met)
    right = [place for place in places if labels[place]]
    pairs = sum(met[place] for place in right)
    if not pairs:
        return AUC(math.nan, math.nan, math.nan, 0)
    value = math.fsum(won[place] for place in right) / pairs
    pulls: dict[Hashable, float] = defaultdict(float)
    for place, cluster in zip(places, places if clusters is None else clusters, strict=True):
        pulls[cluster] += (won[place] - value * met[place]) / pairs
    half = _Z * _standard_error(pulls)
    return AUC(value, max(0.0, value - half), min(1.0, value + half), pairs, dict(pulls))


def difference(one: AUC, other: AUC) -> AUC:
    """``one`` minus ``other``, of two numbers about the same judgments in the same clusters.

    The interval is a paired one: it is narrow where both tell the same judgments apart.
    """
    clusters = one.pulls.keys() | other.pulls.keys()
    pulls = {name: one.pulls.get(name, 0.0) - other.pulls.get(name, 0.0) for name in clusters}
    value, half = one.value - other.value, _Z * _standard_error(pulls)
    return AUC(value, value - half, value + half, one.pairs, pulls)


def _compare(
    members: Sequence[int],
    scores: Sequence[float],
    labels: Sequence[int],
    won: list[float],
    met: list[int],
) -> None:
    """Add to each member how many of the other label it was compared with, and the share won.

    A pair counts as won for both where the right judgment has the higher score.
    """
    right = sorted(scores[place] for place in members if labels[place])
    wrong = sorted(scores[place] for place in members if not labels[place])
    for place in members:
        score = scores[place]
        if labels[place]:
            below, upto = bisect_left(wrong, score), bisect_right(wrong, score)
            won[place] += (below + upto) / 2
            met[place] += len(wrong)
        else:
            below, upto = bisect_left(right, score), bisect_right(right, score)
            won[place] += len(right) - (below + upto) / 2
            met[place] += len(right)


def _standard_error(pulls: Mapping[Hashable, float]) -> float:
    number = len(pulls)
    if number < 2:
        return math.inf
    return math.sqrt(math.fsum(pull**2 for pull in pulls.values()) * number / (number - 1))
