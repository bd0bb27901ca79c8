"""Every number of a tree of figures, with its interval and the outcomes behind it. Needs numpy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from grm_plugin.errors import InputError
from grm_plugin.evaluation.figures import Figure
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.outcomes import Outcome
from grm_plugin.evaluation.resampling import Array

_CELLS = 1 << 22  # of weights at a time, 32 MB
_SCORED = "scored"


@dataclass(frozen=True)
class Measured:
    """A figure over judged items.

    Args:
        name: of the figure.
        value: None where the items do not say it.
        low, high: its 95 % interval; None where there is none, as of items of a single source.
        n: items that it is about.
        counts: of them by outcome: right, wrong, tie, unscored; or scored, of ratings.
        ties: what a tie counts in it; None where it is no matter of outcomes.
        missing: parts that it should be made of and that no item is about.
        parts: figures below it.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    counts: dict[str, int]
    ties: str | None
    missing: tuple[str, ...] = ()
    parts: tuple[Measured, ...] = ()

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def measure(
    figure: Figure,
    items: Sequence[Item],
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Measured:
    """``figure`` and all below it over ``items``.

    Intervals are percentiles of a bootstrap that draws sources: items of one ``source`` come
    together. All figures see the same resamples.

    Args:
        figure: the top of a tree.
        items: at least one; G.
        resamples: how many; R.
        level: share of the resampled numbers that an interval holds, 0..1.
        seed: decides the resamples.

    Raises:
        InputError: there are no items.
    """
    if not items:
        raise InputError("items: expected at least one judged group, got none")
    tree = _Tree(items, resamples, level, seed)
    tree.add(figure)
    tree.resample()
    return tree.measured(figure)


class _Tree:
    def __init__(self, items: Sequence[Item], resamples: int, level: float, seed: int) -> None:
        self._items, self._level = items, level
        self._resamples, self._seed = resamples, seed
        self._over: dict[int, Any] = {}
        self._found: dict[int, Array] = {}

    def add(self, figure: Figure) -> None:
        self._over[id(figure)] = figure.over(self._items)
        for part in figure.parts:
            self.add(part)

    def resample(self) -> None:
        chunks: dict[int, list[Array]] = {key: [] for key in self._over}
        for weights_R_G in source_weights(self._items, self._resamples, self._seed):
            for key, over in self._over.items():
                chunks[key].append(over(weights_R_G))
        self._found = {key: np.concatenate(found) for key, found in chunks.items()}

    def measured(self, figure: Figure) -> Measured:
        items = self._items
        value = float(self._over[id(figure)](np.ones((1, len(items))))[0])
        low, high = _interval(self._found[id(figure)], self._level)
        mine = [items[index] for index in np.flatnonzero(figure.members(items))]
        return Measured(
            name=figure.name,
            value=_known(value),
            low=_known(low),
            high=_known(high),
            n=len(mine),
            counts=counts_of(mine),
            ties=figure.ties,
            missing=figure.missing(items),
            parts=tuple(self.measured(part) for part in figure.parts),
        )


def counts_of(items: Sequence[Item]) -> dict[str, int]:
    """How many items have each outcome; of ratings how many are scored."""
    found = Counter(str(item.outcome or _SCORED) for item in items)
    names = [_SCORED] if found[_SCORED] else []
    names += [str(one) for one in Outcome if found[str(one)] or not found[_SCORED]]
    return {name: found[name] for name in names}


def source_weights(items: Sequence[Item], resamples: int, seed: int) -> Iterator[Array]:
    """How often each of G items comes in each resample, some resamples at a time: ``weights_R_G``.

    Sources are drawn, as many as there are; the items of one come together.
    """
    numbers: dict[str, int] = {}
    source_G = np.array([numbers.setdefault(repr(one.source), len(numbers)) for one in items])
    sources, rng = len(numbers), np.random.default_rng(seed)
    rows = max(1, _CELLS // len(items))
    for start in range(0, resamples, rows):
        drawn = rng.integers(sources, size=(min(rows, resamples - start), sources))
        times = np.stack([np.bincount(row, minlength=sources) for row in drawn])
        yield times[:, source_G].astype(float)


def _interval(values_R: Array, level: float) -> tuple[float, float]:
    there = np.sort(values_R[~np.isnan(values_R)])
    if not len(there):
        return math.nan, math.nan
    outside = round(len(there) * (1 - level) / 2)
    return float(there[outside]), float(there[len(there) - 1 - outside])


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
