"""How often the right response wins at every k, by every scheme, group by group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.orders import draw_orders
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Outcome, Scheme

_SAME = 1e-9  # points: closer sums are equal, whatever the rounding
_AT_ONCE = 4_000_000  # numbers of O x G x K


@dataclass(frozen=True)
class Design:
    """How samples are used.

    Args:
        ks: how many samples vote, ascending.
        orders: random orders of the samples, O.
        seed: decides the orders.
        balanced: whether the samples were drawn with balanced shuffles, which the orders then keep
            together.
        min_valid: valid samples for a reward; None: half of k, rounded up.
    """

    ks: tuple[int, ...]
    orders: int = 64
    seed: int = 0
    balanced: bool = False
    min_valid: int | None = None


@dataclass(frozen=True)
class Wins:
    """Of each group the mean over the orders; shares are 0..1.

    Args:
        random_G: the chance that the right response is picked where ties are broken at random.
        half_G, strict_G: the same where a tie at the top counts one half, or nothing.
        tied_G: how often the top is a tie.
        unscored_G: how often there is no reward, which counts as not right.
        drawn_G: samples drawn.
    """

    random_G: Array
    half_G: Array
    strict_G: Array
    tied_G: Array
    unscored_G: Array
    drawn_G: Array

    def at(self, members: Array) -> Wins:
        """Those of some of the groups."""
        return Wins(*(getattr(self, name)[members] for name in Wins.__dataclass_fields__))


Found = Mapping[tuple[str, int], Wins]
"""By the name of the scheme and k."""


def measure(samples: Samples, schemes: Sequence[Scheme], design: Design) -> Found:
    """What every scheme comes to at every k, all with the same orders.

    Raises:
        ValueError: a k is not in 1..K.
    """
    if not design.ks or not 1 <= min(design.ks) <= max(design.ks) <= samples.samples:
        raise ValueError(f"ks: expected numbers in 1..{samples.samples}, got {design.ks}")
    found: dict[tuple[str, int], list[Wins]] = {}
    numbers: list[int] = []
    for part, orders_O_K in _parts(samples, design):
        numbers.extend(part)
        few = samples.at(part)
        for scheme in schemes:
            for k in design.ks:
                outcome = scheme.outcome(few, k, orders_O_K, design.min_valid)
                found.setdefault((scheme.name, k), []).append(_wins(few, outcome, k))
    back = np.argsort(numbers)
    return {key: _joined(wins, back) for key, wins in found.items()}


def _parts(samples: Samples, design: Design) -> Iterator[tuple[Array, Array]]:
    """Groups of one N, as many as fit in memory, and the orders of their samples."""
    sizes_G = samples.sizes_G
    few = max(1, _AT_ONCE // (design.orders * samples.samples))
    for n in np.unique(sizes_G):
        places = int(n) if design.balanced else 1
        orders = draw_orders(samples.samples, design.orders, places=places, seed=design.seed)
        (members,) = np.nonzero(sizes_G == n)
        for start in range(0, len(members), few):
            yield members[start : start + few], orders


def _wins(samples: Samples, outcome: Outcome, k: int) -> Wins:
    known = np.nan_to_num(samples.spread(outcome.rewards_O_G_N), nan=-np.inf)
    top_O_G = known.max(axis=2)
    scored_O_G = np.isfinite(top_O_G)
    at_top = known >= np.where(scored_O_G, top_O_G - _SAME, np.inf)[..., None]
    many_O_G = at_top.sum(axis=2)
    right = np.take_along_axis(at_top, samples.best_G[None, :, None], axis=2)[..., 0]
    strict, tied = right & (many_O_G == 1), many_O_G > 1
    drawn = np.full(tied.shape, k) if outcome.drawn_O_G is None else outcome.drawn_O_G
    values = (
        right / np.maximum(many_O_G, 1),
        np.where(tied, right / 2, strict),
        strict,
        tied,
        ~scored_O_G,
        drawn,
    )
    return Wins(*(value.mean(axis=0) for value in values))


def _joined(wins: Sequence[Wins], back: Array) -> Wins:
    return Wins(
        *(
            np.concatenate([getattr(one, name) for one in wins])[back]
            for name in Wins.__dataclass_fields__
        )
    )
