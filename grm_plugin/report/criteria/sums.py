"""What verdicts add up to, for each criterion, in parts and blocks: flat memory. Needs numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grm_plugin.evaluation.blocks import Totals
from grm_plugin.report.criteria.parts import MOST as MOST_PARTS

BLOCKS = 64
"""What belongs together is summed in one of so many blocks, for the intervals."""
WHOLE = 0
"""The part that is all of the record; the others follow it."""

Array = NDArray[Any]


@dataclass(slots=True)
class Use:
    """What one group adds for one criterion.

    Args:
        groups: 1.
        used: judgments that list the criterion.
        checked: of them, those that can be right or wrong.
        wrong: how wrong these are, together.
        share: of the group's judgments, used / all, where it has rewards; 0..1.
        reward: its mean reward times that share.
        weighed: judgments that list it with a weight.
        weight: its share of the weights in these, together.
        wrong_pairs, wrong_apart: how many judgments with and without it are compared on the same
            responses, n m / (n + m), and by how much those with it are more wrong, times that.
        score_pairs, score_apart: the same of the mean score (points).
    """

    groups: float = 1.0
    used: float = 0.0
    checked: float = 0.0
    wrong: float = 0.0
    share: float = 0.0
    reward: float = 0.0
    weighed: float = 0.0
    weight: float = 0.0
    wrong_pairs: float = 0.0
    wrong_apart: float = 0.0
    score_pairs: float = 0.0
    score_apart: float = 0.0


NAMES = tuple(one.name for one in fields(Use))
_values = attrgetter(*NAMES)


class Sums:
    """The sums over groups of one :class:`Use` each, for every part and block."""

    def __init__(self) -> None:
        self._sums_P_B_U = np.zeros((1 + MOST_PARTS, BLOCKS, len(NAMES)))

    def add(self, use: Use, parts: Sequence[int], block: int) -> None:
        """Add what one group comes to, to each of some parts."""
        values = np.array(_values(use))
        for part in parts:
            self._sums_P_B_U[part, block] += values

    def fold(self) -> None:
        """Make two neighbouring parts one; the record as a whole stays as it is."""
        parts_P_B_U = self._sums_P_B_U[1:]
        half = MOST_PARTS // 2
        parts_P_B_U[:half] = parts_P_B_U[0::2] + parts_P_B_U[1::2]
        parts_P_B_U[half:] = 0.0

    def total(self, name: str, part: int = WHOLE) -> float:
        """One sum over all blocks of a part."""
        return float(self._sums_P_B_U[part, :, NAMES.index(name)].sum())

    def blocks(self, prefix: str = "", parts: Sequence[int] = (WHOLE,)) -> list[dict[str, float]]:
        """The sums of each block over some parts, by name behind a prefix."""
        sums_B_U = self._sums_P_B_U[list(parts)].sum(axis=0)
        return [
            {f"{prefix}{name}": value for name, value in zip(NAMES, row, strict=True)}
            for row in sums_B_U.tolist()
        ]


def totals(*several: Sequence[dict[str, float]]) -> Totals:
    """The totals of the blocks of several sums beside each other; empty blocks are left out."""
    merged = [
        {name: one for each in blocks for name, one in each.items()}
        for blocks in zip(*several, strict=True)
    ]
    return Totals.of([block for block in merged if any(block.values())])
