"""In which orders samples come to vote: fixed, and shared by all that is compared."""

from __future__ import annotations

import numpy as np

from grm_plugin.evaluation.resampling import Array


def draw_orders(samples: int, number: int, *, places: int = 1, seed: int = 0) -> Array:
    """``orders_O_K``: random orders of the K samples; the first k of a row vote at k.

    They are rotations of random orders, so that in K of them each sample is at each place once: no
    k is judged by samples that happen to be better than others.

    A judge with balanced shuffles draws its samples in squares of N, in which every response is
    shown at every place once; for an even N they come as pairs, an order and its reverse. Orders
    that tear them apart say what independent shuffles are worth.

    Args:
        samples: K.
        number: O; a multiple of K where each sample shall be at each place equally often.
        places: N keeps the pairs and squares of balanced shuffles of N responses together; 1 keeps
            nothing together.
        seed: the same one gives the same orders.

    >>> draw_orders(4, 3, places=2, seed=1)
    array([[1, 0, 2, 3],
           [0, 1, 3, 2],
           [3, 2, 0, 1]])
    """
    rng = np.random.default_rng([seed, samples, places])
    places = places if places <= samples else 1
    pair = 2 if places % 2 == 0 else 1
    shape = (samples // places, places // pair, pair)
    # a square that was not drawn to its end comes last, as it does when it is drawn
    rest = np.arange(np.prod(shape), samples)
    orders: list[Array] = []
    while len(orders) < number:
        first = _shuffled(rng, shape)
        for shift in rng.permutation(list(np.ndindex(shape))):
            turned = np.roll(first, shift, axis=(0, 1, 2))
            orders.append(np.concatenate([turned.ravel(), rng.permutation(rest)]))
    return np.array(orders[:number])


def _shuffled(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Sample numbers in squares of pairs: squares, the pairs of each, and each pair shuffled."""
    numbers = rng.permutation(np.arange(np.prod(shape)).reshape(shape))
    pairs = rng.random(shape[:2]).argsort(axis=1)
    numbers = np.take_along_axis(numbers, pairs[..., None], axis=1)
    return np.where(rng.random((*shape[:2], 1)) < 0.5, numbers, numbers[..., ::-1])
