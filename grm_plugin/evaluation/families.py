"""Which of many figures are tests of their own, and their p-values corrected for each other."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np

from grm_plugin.evaluation.paired import holm
from grm_plugin.evaluation.resampling import Array


@dataclass(frozen=True)
class Hypothesis:
    """That a figure is the same of both judges, and its test.

    Args:
        of: the items that it is about, one bit each; 0 for none.
        numbers: what tells it from another test of the same items, such as its values.
        p: 0..1; NaN where it has none.
    """

    of: int
    numbers: Hashable
    p: float


def bits(of_G: Array) -> int:
    """Which of G items there are, one bit each."""
    return int.from_bytes(np.packbits(of_G).tobytes(), "big")


def corrected(tests: Sequence[Hypothesis]) -> list[float | None]:
    """The p of each test after Holm's correction over those that say something of their own.

    A test without a p is none, one of the same items with the same numbers is the same one, and one
    whose items are those of smaller tests together says nothing of its own.

    Returns:
        None for a test that is not among them, and for all where there are fewer than two.

    >>> one, other = Hypothesis(0b10, 0, 0.01), Hypothesis(0b01, 0, 0.04)
    >>> pooled, empty = Hypothesis(0b11, 0, 0.2), Hypothesis(0, 0, math.nan)
    >>> corrected([pooled, one, other, one, empty])
    [None, 0.02, 0.04, 0.02, None]
    """
    known = dict.fromkeys(one for one in tests if one.of and not math.isnan(one.p))
    sets = {one.of for one in tests if one.of}
    apart = [one for one in known if not _is_pooled(one.of, sets)]
    found = dict(zip(apart, holm([one.p for one in apart]), strict=True))
    return [found.get(one) if len(found) > 1 else None for one in tests]


def _is_pooled(mine: int, sets: set[int]) -> bool:
    parts = (one for one in sets if one != mine and one & mine == one)
    return reduce(or_, parts, 0) == mine
