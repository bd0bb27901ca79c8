"""What the first k samples of each order come to, for all orders and groups at once.

``vote`` and ``select`` are all that a study of votes needs. They come to what
:func:`grm_plugin.pipeline.settling.settle` does with the same judgments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from grm_plugin.errors import unknown
from grm_plugin.evaluation.resampling import Array

_NOISE = 1e-9  # of floating point


def vote(
    scores_G_K_N: Array,
    k: int | Array,
    orders_O_K: Array,
    weights: Array | None = None,
    *,
    voter: str = "mean",
    min_valid: int | None = None,
) -> Array:
    """``rewards_O_G_N`` of the first ``k`` samples of each order; NaN where there is no reward.

    A dropped sample takes its place among the k. ``mean``, ``median`` and ``sum`` are in points,
    ``majority`` and ``borda`` in 0..1.

    Args:
        scores_G_K_N: points; NaN for a dropped sample, and for a response that is not there.
        k: how many samples vote, 1..K; or how many of each order and group, ``k_O_G``.
        orders_O_K: see :func:`draw_orders`.
        weights: of each sample, >= 0: ``weights_G_K``, or ``weights_O_G_K`` where it depends on
            the others, as :func:`select` gives it; None: all alike. 0 does not vote.
        voter: mean, sum, median, majority or borda.
        min_valid: valid samples, with a vote or without, for a reward; None: half of k, rounded
            up.

    Raises:
        ValueError: there is no such voter.

    >>> scores = np.array([[[1.0, 5.0], [5.0, 6.0], [4.0, 8.0], [7.0, 6.0]]])
    >>> vote(scores, 4, np.arange(4)[None], voter="sum")
    array([[[17., 25.]]])
    """
    chosen = drawn(k, orders_O_K)
    valid_G_K = np.asarray(~np.isnan(scores_G_K_N).all(axis=2))
    weight, ballots = _ballots(chosen, valid_G_K, weights)
    rewards = _voter(voter)(scores_G_K_N, weight, ballots)
    least = (np.asarray(k) + 1) // 2 if min_valid is None else min_valid
    unscored = (_sums(chosen, valid_G_K) < least) | (_sums(ballots, weight) <= 0)
    missing_G_N = np.isnan(scores_G_K_N).all(axis=1)
    return np.where(unscored[..., None] | missing_G_N, np.nan, rewards)


def select(meta_G_K: Array, k: int | Array, k_meta: int, orders_O_K: Array) -> Array:
    """``chosen_O_G_K``: which of the first ``k`` samples vote, by their meta-scores.

    It is True for the ``k_meta`` with the highest ones; a tie goes to the earlier sample.

    Args:
        meta_G_K: logits; NaN for a dropped sample, which is never chosen.
        k, orders_O_K: as for :func:`vote`.
        k_meta: how many vote, at least 1.
    """
    best_G_K = np.argsort(-meta_G_K, axis=1, kind="stable")
    chosen = drawn(k, orders_O_K)
    among = chosen[:, best_G_K] if chosen.ndim == 2 else _along(chosen, best_G_K)
    among &= ~np.isnan(np.take_along_axis(meta_G_K, best_G_K, axis=1))
    among &= np.cumsum(among, axis=2, dtype=np.int16) <= k_meta
    return _along(among, np.argsort(best_G_K, axis=1))


def valid_among(scores_G_K_N: Array, k: int | Array, orders_O_K: Array) -> Array:
    """``votes_O_G``: how many of the first ``k`` samples are valid; arguments as for ``vote``."""
    valid_G_K = np.asarray(~np.isnan(scores_G_K_N).all(axis=2))
    return _sums(drawn(k, orders_O_K), valid_G_K)


def drawn(k: int | Array, orders_O_K: Array) -> Array:
    """Whether a sample is among the first ``k``: ``O_K``, or ``O_G_K`` of a ``k_O_G``."""
    places_O_K: Array = np.argsort(orders_O_K, axis=1)
    chosen: Array = (
        places_O_K < k if np.ndim(k) == 0 else places_O_K[:, None] < np.asarray(k)[..., None]
    )
    return chosen


def _ballots(chosen: Array, valid_G_K: Array, weights: Array | None) -> tuple[Array, Array]:
    """The part of a sample's weight that is the same in every order, and the part that is not."""
    if weights is None or weights.ndim == 2:
        return (valid_G_K * 1.0 if weights is None else np.where(valid_G_K, weights, 0.0)), chosen
    among = chosen[:, None, :] if chosen.ndim == 2 else chosen
    return valid_G_K * 1.0, weights * among


def _along(values_O_G_K: Array, numbers_G_K: Array) -> Array:
    found: Array = np.take_along_axis(values_O_G_K, numbers_G_K[None], axis=2)
    return found


def _sums(ballots: Array, values: Array) -> Array:
    """Sums over the samples: ``O_K`` or ``O_G_K`` times ``G_K`` or ``G_K_N``."""
    if values.ndim == 2:
        return np.asarray(_sums(ballots, values[..., None])[..., 0])
    groups, samples, n = values.shape
    if ballots.ndim == 2:
        flat = values.transpose(1, 0, 2).reshape(samples, groups * n)
        return np.asarray(ballots.astype(float) @ flat).reshape(-1, groups, n)
    sums = np.matmul(ballots.transpose(1, 0, 2).astype(float), values)
    return np.asarray(sums.transpose(1, 0, 2))


def _total(scores_G_K_N: Array, weight_G_K: Array, ballots: Array) -> Array:
    return _sums(ballots, np.nan_to_num(scores_G_K_N) * weight_G_K[..., None])


def _mean(scores_G_K_N: Array, weight_G_K: Array, ballots: Array) -> Array:
    counts = _sums(ballots, weight_G_K)[..., None]
    known = np.where(counts > 0, counts, np.nan)
    return np.asarray(_total(scores_G_K_N, weight_G_K, ballots) / known)


def _majority(scores_G_K_N: Array, weight_G_K: Array, ballots: Array) -> Array:
    top = scores_G_K_N == _highest(scores_G_K_N)[..., None]
    shares = top / np.maximum(top.sum(axis=2, keepdims=True), 1)
    return _mean(shares, weight_G_K, ballots)


def _highest(scores_G_K_N: Array) -> Array:
    return np.asarray(np.where(np.isnan(scores_G_K_N), -np.inf, scores_G_K_N).max(axis=2))


def _borda(scores_G_K_N: Array, weight_G_K: Array, ballots: Array) -> Array:
    ahead = scores_G_K_N[..., :, None] > scores_G_K_N[..., None, :]
    level = scores_G_K_N[..., :, None] == scores_G_K_N[..., None, :]
    others = np.maximum((~np.isnan(scores_G_K_N)).sum(axis=2, keepdims=True) - 1, 1)
    return _mean((ahead.sum(axis=3) + (level.sum(axis=3) - 1) / 2) / others, weight_G_K, ballots)


def _median(scores_G_K_N: Array, weight_G_K: Array, ballots: Array) -> Array:
    """Half of the weight is at or below it; where it is so up to the next score, their mean."""
    half = _sums(ballots, weight_G_K)[..., None] / 2
    lower = upper = np.full(half.shape[:2] + scores_G_K_N.shape[2:], np.nan)
    for level_G_N in _levels(scores_G_K_N):
        below = (scores_G_K_N <= level_G_N[:, None]) * weight_G_K[..., None]
        reached = _sums(ballots, below)
        lower = np.where(np.isnan(lower) & (reached >= half - _NOISE), level_G_N, lower)
        upper = np.where(np.isnan(upper) & (reached > half + _NOISE), level_G_N, upper)
    return np.asarray((lower + upper) / 2)


def _levels(scores_G_K_N: Array) -> Iterator[Array]:
    """The different scores of each response, the lowest first; NaN where it has no more."""
    ranked = np.sort(scores_G_K_N, axis=1)
    ranked[:, 1:][ranked[:, 1:] == ranked[:, :-1]] = np.nan
    ranked = np.sort(ranked, axis=1)
    for number in range(int((~np.isnan(ranked)).sum(axis=1).max(initial=0))):
        yield ranked[:, number]


_VOTERS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "mean": _mean,
    "sum": _total,
    "median": _median,
    "majority": _majority,
    "borda": _borda,
}
VOTERS = tuple(_VOTERS)
"""Names of the voters that have an array form: all built-in ones."""


def _voter(name: str) -> Callable[[Array, Array, Array], Array]:
    if name not in _VOTERS:
        raise ValueError(unknown("voter", name, _VOTERS))
    return _VOTERS[name]
