"""How two numbers of the same items go together, for many weightings at once. Needs numpy.

Axes: ``G`` items, ``R`` weightings of them, such as how often each came in a resample. Whoever
comes w times is w items that tie with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_CELLS = 1 << 21
"""Most numbers of one array in between: memory does not grow with R."""
_ROUNDING = 1e-26
"""Of squares: what varies less than this varies by rounding alone."""


def pearson(x_G: Array, y_G: Array, weights_R_G: Array) -> Array:
    """Pearson's correlation, -1..1, of each weighting; NaN where one side does not vary.

    >>> ones = np.ones((1, 3))
    >>> round(float(pearson(np.array([1, 2, 3]), np.array([2, 4, 7]), ones)[0]), 3)
    0.993
    """
    return _by_rows(weights_R_G, lambda w_R_G: _pearson(x_G[None], y_G[None], w_R_G))


def spearman(x_G: Array, y_G: Array, weights_R_G: Array) -> Array:
    """Spearman's rank correlation, -1..1, of each weighting; ties share their middle rank.

    >>> ones = np.ones((1, 3))
    >>> float(spearman(np.array([1, 2, 3]), np.array([2, 4, 70]), ones)[0])
    1.0
    """
    ranks_x, ranks_y = _Ranks(x_G), _Ranks(y_G)
    return _by_rows(weights_R_G, lambda w_R_G: _pearson(ranks_x(w_R_G), ranks_y(w_R_G), w_R_G))


def kendall(x_G: Array, y_G: Array, weights_R_G: Array) -> Array:
    """Kendall's tau-b, -1..1, of each weighting; NaN where one side does not vary.

    The work grows with the square of the number of different pairs of values.

    >>> ones = np.ones((1, 3))
    >>> float(kendall(np.array([1, 2, 3]), np.array([2, 7, 4]), ones)[0]) * 3
    1.0
    """
    cells, cell_G = np.unique(np.stack([x_G, y_G]), axis=1, return_inverse=True)
    weights_R_C = _summed(weights_R_G, cell_G.ravel(), cells.shape[1])
    varying = [_untied(one, weights_R_G) for one in (x_G, y_G)]
    with np.errstate(invalid="ignore"):
        found_R: Array = _concordance(cells, weights_R_C) / np.sqrt(varying[0] * varying[1])
    return found_R


def auc(scores_G: Array, labels_G: Array, weights_R_G: Array) -> Array:
    """The chance, 0..1, that an item with label 1 has a higher score than one with label 0.

    A tie counts one half. NaN where there is nobody of one label.

    >>> scores, labels = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])
    >>> float(auc(scores, labels, np.ones((1, 4)))[0])
    0.75
    """
    place_G, number = _places(scores_G)
    right_R_C = _summed(weights_R_G * (labels_G == 1), place_G, number)
    wrong_R_C = _summed(weights_R_G * (labels_G == 0), place_G, number)
    below_R_C = np.cumsum(wrong_R_C, axis=1) - wrong_R_C / 2
    pairs_R = right_R_C.sum(axis=1) * wrong_R_C.sum(axis=1)
    with np.errstate(invalid="ignore"):
        found_R: Array = (right_R_C * below_R_C).sum(axis=1) / pairs_R
    return found_R


class _Ranks:
    """Middle ranks of G values in each weighting, but for a constant."""

    def __init__(self, values_G: Array) -> None:
        self._place_G, self._number = _places(values_G)

    def __call__(self, weights_R_G: Array) -> Array:
        tied_R_C = _summed(weights_R_G, self._place_G, self._number)
        return (np.cumsum(tied_R_C, axis=1) - tied_R_C / 2)[:, self._place_G]


def _places(values_G: Array) -> tuple[Array, int]:
    """Each value's place among the different ones, from 0, and how many those are."""
    different, place_G = np.unique(values_G, return_inverse=True)
    return place_G.ravel(), len(different)


def _summed(weights_R_G: Array, code_G: Array, number: int) -> Array:
    """The weights of all items of one code together, R x number."""
    order_G = np.argsort(code_G, kind="stable")
    starts = np.searchsorted(code_G[order_G], np.arange(number))
    return np.add.reduceat(weights_R_G[:, order_G], starts, axis=1)


def _pearson(x_R_G: Array, y_R_G: Array, weights_R_G: Array) -> Array:
    x_R_G, own_x = _centred(x_R_G, weights_R_G)
    y_R_G, own_y = _centred(y_R_G, weights_R_G)
    found_R: Array = (weights_R_G * x_R_G * y_R_G).sum(axis=1) / np.sqrt(own_x * own_y)
    return found_R


def _centred(values_R_G: Array, weights_R_G: Array) -> tuple[Array, Array]:
    """How far each value is from the mean, and the sum of squares of that; NaN where it is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_R = (weights_R_G * values_R_G).sum(axis=1) / weights_R_G.sum(axis=1)
    found = values_R_G - mean_R[:, None]
    squares_R, raw_R = ((weights_R_G * one**2).sum(axis=1) for one in (found, values_R_G))
    return found, np.where(squares_R > _ROUNDING * raw_R, squares_R, np.nan)


def _untied(values_G: Array, weights_R_G: Array) -> Array:
    """Pairs of different values, each counted twice."""
    tied_R = (_summed(weights_R_G, *_places(values_G)) ** 2).sum(axis=1)
    found_R: Array = weights_R_G.sum(axis=1) ** 2 - tied_R
    return found_R


def _concordance(cells: Array, weights_R_C: Array) -> Array:
    """Pairs in the same order minus pairs in the other one, each counted twice."""
    number, found_R = cells.shape[1], np.zeros(len(weights_R_C))
    step = max(1, _CELLS // number)
    for start in range(0, number, step):
        some = slice(start, start + step)
        x, y = (np.sign(one[:, None] - one[None, some]) for one in cells)
        found_R += ((weights_R_C @ (x * y).astype(float)) * weights_R_C[:, some]).sum(axis=1)
    return found_R


def _by_rows(weights_R_G: Array, of: Callable[[Array], Array]) -> Array:
    return np.concatenate([of(some_R_G) for some_R_G in _blocks(weights_R_G)])


def _blocks(weights_R_G: Array) -> Iterator[Array]:
    step = max(1, _CELLS // weights_R_G.shape[1])
    for start in range(0, len(weights_R_G), step):
        yield weights_R_G[start : start + step]
