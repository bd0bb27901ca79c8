"""Two judges on the same items: which of them is right more often, and is that chance? Needs scipy.

McNemar's exact test goes by the items that only one of them has right; Holm's correction keeps
the chance of any false alarm over several tests below that of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest


@dataclass(frozen=True, slots=True)
class McNemar:
    """Items by who has them right, and how surprising the difference is.

    Args:
        both, neither: items on which they agree.
        first, second: items that only this one has right.
        p: two-sided, 0..1, of no difference between the two; NaN where items are not independent.
    """

    both: int
    first: int
    second: int
    neither: int
    p: float


def mcnemar(first_G: Sequence[bool], second_G: Sequence[bool]) -> McNemar:
    """McNemar's exact test of G items that each of two judges has right or not.

    It takes items for independent; where they share a source its p means nothing.

    Raises:
        ValueError: the lengths differ.

    >>> mcnemar([True] * 8 + [False], [False] * 6 + [True] * 3)
    McNemar(both=2, first=6, second=1, neither=0, p=0.125)
    """
    pairs = zip(first_G, second_G, strict=True)
    counts = Counter((bool(one), bool(other)) for one, other in pairs)
    first, second = counts[True, False], counts[False, True]
    p = float(binomtest(first, first + second).pvalue) if first + second else 1.0
    return McNemar(counts[True, True], first, second, counts[False, False], p)


def holm(p_T: Sequence[float]) -> list[float]:
    """The p-values of T tests, corrected so that the chance of any false alarm stays that of one.

    Args:
        p_T: 0..1 each, in any order; the answer has the same one.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected, least = [0.0] * len(p_T), 0.0
    for rank, place in enumerate(sorted(range(len(p_T)), key=lambda place: p_T[place])):
        least = max(least, min(1.0, (len(p_T) - rank) * p_T[place]))
        corrected[place] = least
    return corrected
