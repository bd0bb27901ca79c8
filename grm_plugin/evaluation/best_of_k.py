"""What choosing the best of k responses by their rewards comes to. Pure functions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from operator import itemgetter


def best_of_k(rewards_N: Sequence[float | None], qualities_N: Sequence[float]) -> list[float]:
    """The mean quality of the response with the highest reward, for k = 1, 2, ... N.

    The mean is over all sets of k of the N responses, exactly; ties for the highest reward are
    broken at random. A response without a reward is chosen only where no other is in the set.

    Args:
        rewards_N: of one prompt; None for a response without one.
        qualities_N: what each response is worth, such as 0 or 1 for wrong or right.

    Raises:
        ValueError: there are not as many of both, or none.

    >>> best_of_k([0.1, 0.9, 0.5], [0, 1, 0])
    [0.3333333333333333, 0.6666666666666666, 1.0]
    """
    if len(rewards_N) != len(qualities_N) or not rewards_N:
        raise ValueError(
            f"rewards: expected one for each of {len(qualities_N)} qualities, and at least one, "
            f"got {len(rewards_N)}"
        )
    tied = _tied(rewards_N, qualities_N)
    return [_chosen(tied, len(rewards_N), k) for k in range(1, len(rewards_N) + 1)]


Tied = Sequence[tuple[int, int, float]]
"""From the lowest reward on: how many are below or tied, how many are tied, their mean quality."""


def _tied(rewards_N: Sequence[float | None], qualities_N: Sequence[float]) -> Tied:
    known = ((-math.inf if one is None else one) for one in rewards_N)
    ranked = sorted(zip(known, qualities_N, strict=True), key=itemgetter(0))
    found, below = list[tuple[int, int, float]](), 0
    for _, group in itertools.groupby(ranked, key=itemgetter(0)):
        values = [quality for _, quality in group]
        below += len(values)
        found.append((below, len(values), math.fsum(values) / len(values)))
    return found


def _chosen(tied: Tied, number: int, k: int) -> float:
    sets = math.comb(number, k)
    return math.fsum(
        (math.comb(upto, k) - math.comb(upto - some, k)) / sets * quality
        for upto, some, quality in tied
    )
