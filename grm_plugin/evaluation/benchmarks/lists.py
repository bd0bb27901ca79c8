"""Figures where a list is judged as one group, or as pairs of its best and each other one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from grm_plugin.evaluation.figures import Statistic, Weighted, each_of, ratio
from grm_plugin.evaluation.items import SUBSET, Item
from grm_plugin.evaluation.outcomes import Ties, credit

LIST = "list"
"""Name in the metadata of a pair that says of which list it is."""


def all_won(name: str, items: Sequence[Item], where: Mapping[str, Any], ties: Ties) -> Statistic:
    """How often the best response of a list is above all others, 0..1, and so by subset.

    Args:
        name: of the figure.
        items: a list each, or a pair of a list each, whose pairs then count together.
        where: which of them.
        ties: what a tie counts; of pairs of one list the least, and ``random`` ones their product.
    """
    subsets = (
        Statistic(one.name, of=partial(_share, ties), where=one.where, tie=ties)
        for one in each_of(items, SUBSET, where=where)
    )
    return Statistic(name, of=partial(_share, ties), where=where, below=tuple(subsets), tie=ties)


def _share(ties: Ties, items: Sequence[Item]) -> Weighted:
    lists: dict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        lists[str(item.metadata.get(LIST) or item.fingerprint)].append(place)
    first = np.array([places[0] for places in lists.values()], dtype=int)
    won = np.array([_won([items[i] for i in some], ties) for some in lists.values()], dtype=float)

    return lambda weights_R_G: ratio(weights_R_G[:, first] @ won, weights_R_G[:, first])


def _won(pairs: Sequence[Item], ties: Ties) -> float:
    credits = [credit(one.rewards, one.truth, ties) for one in pairs]
    return float(np.prod(credits)) if ties == "random" else min(credits)
