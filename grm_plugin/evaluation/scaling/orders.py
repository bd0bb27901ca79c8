"""In which orders samples come to vote: fixed, and shared by all that is compared."""

from __future__ import annotations

import numpy as np

from grm_plugin.evaluation.resampling import Array


def draw_orders(samples: int, number: int, *, places: int = 1, seed: int = 0) -> Array:
    """``orders_O_K``: random orders of the K samples; the first k of a row vote at k.

    A judge with balanced shuffles draws its samples in squares of N, in which every response is
    shown at every place once; for an even N they come as pairs, an order and its reverse. Orders
    that tear them apart say what independent shuffles are worth. Each sample comes first about
    equally often; where O is a multiple of K, one sample alone is the mean over all of them.

    Args:
        samples: K.
        number: O.
        places: N keeps the pairs and squares of balanced shuffles of N responses together; 1 keeps
            nothing together.
        seed: the same one gives the same orders.

    >>> draw_orders(4, 2, places=2, seed=1)
    array([[0, 1, 3, 2],
           [1, 0, 2, 3]])
    """
    rng = np.random.default_rng([seed, samples, places])
    pair = 2 if places % 2 == 0 else 1
    return np.array([_order(rng, samples, places, pair, one) for one in range(number)])


def _order(rng: np.random.Generator, samples: int, square: int, pair: int, number: int) -> Array:
    """Sorted by a random key of its square, then of its pair, then of its own."""
    numbers = np.arange(samples)
    squares, pairs, own = rng.random((3, samples))
    # a square that was not drawn to its end comes last, as it does when it is drawn
    squares[samples // square :] = 1.0
    first = number % (samples // square * square or samples)
    squares[first // square] = pairs[first // pair] = own[first] = -1.0
    order: Array = np.lexsort((own, pairs[numbers // pair], squares[numbers // square]))
    return order
