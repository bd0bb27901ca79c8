"""Every number of a tree of figures, with its interval and the outcomes behind it. Needs numpy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from grm_plugin.errors import InputError
from grm_plugin.evaluation.figures import Figure, Weighted
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.outcomes import Outcome
from grm_plugin.evaluation.resampled import Resampled
from grm_plugin.evaluation.selecting import Items

SCORED = "scored"
"""What :attr:`Measured.counts` calls a rated group that has rewards."""


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
        lower_is_better: as of a rate of errors.
        missing: parts that it should be made of and that have no value, say as no item is about
            them.
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
    lower_is_better: bool = False
    parts: tuple[Measured, ...] = ()

    @property
    def is_correlation(self) -> bool:
        """Whether it is about ratings, and no share of anything."""
        return SCORED in self.counts

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

    Sources are drawn again, items of one ``source`` together; all figures see the same resamples.
    A share has Wilson's interval, with the variance that the resamples say; any other number has
    their percentiles.

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
    items = Items(items)
    nodes = list(_nodes(figure))
    numbers: dict[Hashable, Weighted] = {id(node): node.over(items) for node in nodes}
    found = Resampled(items, numbers, resamples=resamples, level=level, seed=seed)
    return _measured(figure, items, found)


def _nodes(figure: Figure) -> Iterator[Figure]:
    yield figure
    for part in figure.parts:
        yield from _nodes(part)


def _measured(figure: Figure, items: Sequence[Item], found: Resampled) -> Measured:
    estimate = found.estimate(id(figure), figure)
    mine = [items[index] for index in np.flatnonzero(figure.members(items))]
    return Measured(
        name=figure.name,
        value=_known(estimate.value),
        low=_known(estimate.low),
        high=_known(estimate.high),
        n=len(mine),
        counts=counts_of(map(figure.outcome_of, mine)),
        ties=figure.ties,
        missing=figure.missing(items),
        lower_is_better=figure.lower_is_better,
        parts=tuple(_measured(part, items, found) for part in figure.parts),
    )


def counts_of(outcomes: Iterable[Outcome | None]) -> dict[str, int]:
    """How many items have each outcome; of ratings how many are scored."""
    found = Counter(str(one or SCORED) for one in outcomes)
    names = [SCORED] if found[SCORED] else []
    names += [str(one) for one in Outcome if found[str(one)] or not found[SCORED]]
    return {name: found[name] for name in names}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
