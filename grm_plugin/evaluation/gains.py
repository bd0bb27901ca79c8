"""What more samples gain: figures where k samples vote, against one sample and a greedy one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grm_plugin.evaluation.figures import Figure, Weighted
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.measuring import Measured, measure
from grm_plugin.evaluation.resampled import Resampled
from grm_plugin.evaluation.resampling import Array, Difference
from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.evaluation.votes import Votes
from grm_plugin.types import Cost

ONE, GREEDY = "one", "greedy"
Over = Mapping[str, Difference]
"""What is gained over ``one`` sample and over a ``greedy`` one, where that is known."""


@dataclass(frozen=True)
class Gained:
    """A measured figure, what it gains, and the same of the figures below it."""

    measured: Measured
    over: Over
    parts: tuple[Gained, ...] = ()


@dataclass(frozen=True)
class AtK:
    """A figure where ``k`` samples vote.

    Args:
        k: samples.
        value: the mean over sets of k samples, with its interval.
        over: what it gains.
        cost: of all groups; seconds are those of each, side by side or not, added up.
        groups: how many.
        lower_is_better: as of a rate of errors, of which fewer are gained.
    """

    k: int
    value: Estimate
    over: Over
    cost: Cost
    groups: int
    lower_is_better: bool = False

    @property
    def seconds(self) -> float:
        """From asking for a group to its verdict, on average."""
        return self.cost.seconds / self.groups

    @property
    def tokens(self) -> float:
        """Read and written for a group, on average."""
        return (self.cost.prompt_tokens + self.cost.output_tokens) / self.groups

    def per_point(self, one: AtK) -> dict[str, float | None]:
        """What a group costs more than with ``one`` sample, for each point (0.01) gained.

        Empty where nothing is gained; money is None where a price is not known.
        """
        points = 100 * (self.value.value - one.value.value) * (-1 if self.lower_is_better else 1)
        if not points > 0:
            return {}
        priced = not (self.cost.unpriced or self.cost.money is None or one.cost.money is None)
        money = (self.cost.money or 0.0) - (one.cost.money or 0.0)
        return {
            "tokens": (self.tokens - one.tokens) / points,
            "seconds": (self.seconds - one.seconds) / points,
            "money": money / self.groups / points if priced else None,
        }


@dataclass(frozen=True)
class Gains:
    """Figures of a benchmark, and what more samples gain.

    Args:
        top: the tree of figures with ``k`` samples.
        curve: its top figure at every k, ascending.
        resampled: the top figure, and what it is in each resample.
    """

    top: Gained
    curve: tuple[AtK, ...]
    resampled: tuple[float, Array] = field(repr=False)


def gains(
    figure: Figure,
    votes: Votes,
    *,
    k: int,
    greedy: Sequence[Item] | None = None,
    **resamples: Any,
) -> Gains:
    """``figure`` and all below it with ``k`` samples, and the top one at every k of ``votes``.

    Args:
        figure: the top of a tree.
        votes: with ``k`` and 1 among their ks.
        k: samples of the tree.
        greedy: judgments at temperature 0 of the same groups, in the same order.
        resamples: as :class:`Resampled` takes them.

    Raises:
        InputError: there are no groups.
    """
    items = votes.sets[k][0]
    measured = measure(figure, items, **resamples)
    numbers: dict[Any, Weighted] = {}
    for each in votes.ks:
        numbers["k", each] = over_sets(figure, votes, each)
    for place, node in _nodes(figure):
        numbers[place, k] = node.over(items)
        numbers[place, ONE] = over_sets(node, votes, 1)
        if greedy is not None:
            numbers[place, GREEDY] = node.over(greedy)
    found = Resampled(items, numbers, **resamples)
    others = [ONE] if k > 1 else []
    others += [GREEDY] if greedy is not None else []
    top = _gained(figure, measured, (), found, k, others)
    return Gains(top, tuple(_curve(figure, votes, found, greedy is not None)), found.of(((), k)))


def over_sets(figure: Figure, votes: Votes, k: int) -> Weighted:
    """The mean of ``figure`` over the sets of ``k`` samples, as a function of weights."""
    each = [figure.over(items) for items in votes.sets[k]]
    if len(each) == 1:
        return each[0]
    return lambda weights_R_G: np.mean([one(weights_R_G) for one in each], axis=0)


def _nodes(figure: Figure, place: tuple[int, ...] = ()) -> Iterator[tuple[Any, Figure]]:
    yield place, figure
    for number, part in enumerate(figure.parts):
        yield from _nodes(part, (*place, number))


def _gained(
    figure: Figure,
    measured: Measured,
    place: tuple[int, ...],
    found: Resampled,
    k: int,
    others: Sequence[str],
) -> Gained:
    several = measured.low is not None  # items of a single source tell of no other
    return Gained(
        measured,
        {
            other: found.difference((place, k), (place, other), figure)
            for other in others
            if several
        },
        tuple(
            _gained(part, below, (*place, number), found, k, others)
            for number, (part, below) in enumerate(zip(figure.parts, measured.parts, strict=True))
        ),
    )


def _curve(figure: Figure, votes: Votes, found: Resampled, has_greedy: bool) -> Iterator[AtK]:
    for k in votes.ks:
        over = {ONE: found.difference(("k", k), ("k", 1), figure)} if k > 1 else {}
        if has_greedy:
            over[GREEDY] = found.difference(("k", k), ((), GREEDY), figure)
        alone = len(votes.sets[k]) == 1  # over several sets it is a mean of shares
        share = figure if alone else None
        value, cost = found.estimate(("k", k), share), votes.costs[k]
        yield AtK(k, value, over, cost, len(votes.items), figure.lower_is_better)
