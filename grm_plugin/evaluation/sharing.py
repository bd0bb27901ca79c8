"""How far off a mean is where groups share members with others: clusters that overlap. Needs numpy.

The requirements of a task have a phrasing each, so two tasks may share one of five. No partition
into clusters holds both with all that they share, and none can be drawn anew as a whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def overlaps(kind: Sequence[object]) -> bool:
    """Whether some group has a list of members in place of one cluster."""
    return any(isinstance(one, (list, tuple)) for one in kind)


def members_of(one: object) -> list[str]:
    """The clusters of a group by name: each member of a list, or the one that it is."""
    several = one if isinstance(one, (list, tuple)) else [one]
    return list(map(name_of, several))


def name_of(cluster: object) -> str:
    """What a cluster is told apart by; whatever JSON holds can be one."""
    return json.dumps(cluster, sort_keys=True, default=repr)


class Sharing:
    """Standard errors of means over G groups, of which those that share any member vary together.

    The variance is the sum over all pairs that share a member, of whatever kind, of the product of
    their distances from the mean (Cameron, Gelbach and Miller, J. Bus. Econ. Stat. 29, 2011; of
    members, Aronow, Samii and Assenova, Polit. Anal. 23, 2015), enlarged by what taking the mean
    out of dense sharing removes, and at least that of groups alone. Drawing members anew instead is
    off either way: a group that counts by the product of its members' draws has far too much noise
    of its own, one that counts by their mean too little of what is shared.

    A member that all groups have tells nothing and is left out. It takes 4 G^2 bytes.

    Args:
        kinds: for each kind of cluster what each group belongs to: one, or a list.
    """

    def __init__(self, kinds: Sequence[Sequence[object]]) -> None:
        self._kinds = [_incidence(kind) for kind in kinds]
        share = np.eye(len(kinds[0]), dtype=bool)
        for one in self._kinds:
            share |= one @ one.T > 0
        self._share_G_G = share.astype(np.float32)

    def error(self, values_G: Array) -> float:
        """The standard error of the mean of the values that are there (not NaN)."""
        there_G = ~np.isnan(values_G)
        number = int(there_G.sum())
        apart = np.where(there_G, values_G - np.nanmean(values_G), 0.0)
        pairs = there_G @ (self._share_G_G @ there_G.astype(np.float32)) / number**2
        alone = float(apart @ apart) / number**2
        together = float(apart @ (self._share_G_G @ apart)) / number**2
        return math.sqrt(max(alone, together / max(1 - float(pairs), 1 / number)))

    def freedom(self, values_G: Array) -> int:
        """Degrees of freedom of :meth:`error`: of the kind with the fewest members in effect."""
        there_G = ~np.isnan(values_G)
        counts = [there_G @ one for one in self._kinds if one.shape[1]]
        effective = [each.sum() ** 2 / max((each**2).sum(), 1.0) for each in counts]
        return max(1, round(float(min(effective, default=there_G.sum()))) - 1)


def _incidence(kind: Sequence[object]) -> Array:
    """``has_G_M``: 1 where a group has a member, of those that only some groups have."""
    sets = [set(members_of(one)) or {f"alone {place}"} for place, one in enumerate(kind)]
    names = {name: place for place, name in enumerate(sorted(set().union(*sets)))}
    has_G_M = np.zeros((len(sets), len(names)), dtype=np.float32)
    for row, found in zip(has_G_M, sets, strict=True):
        row[[names[name] for name in found]] = 1
    return has_G_M[:, ~has_G_M.all(axis=0)]
