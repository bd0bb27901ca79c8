"""When the stoppers ``ranking`` and ``advantage`` end the drawing, for whole studies at once.

It comes to what they do with the same samples one by one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.voting import vote
from grm_plugin.pipeline import advantage
from grm_plugin.pipeline.overtaking import freedom, prior, within

Stop = Callable[[Samples, int, Array], Array]
"""Called with the samples, the cap and ``orders_O_K``; gives ``drawn_O_G``, 1..cap."""


class LeadRisks:
    """The chances that a lead is lost; reckoned once for all thresholds of one study.

    Args:
        width: of the scale, from its lowest to its highest score, in points.
        voter: how samples vote; the stopper goes by what each of them alone comes to.
    """

    def __init__(self, width: float = 9.0, voter: str = "mean") -> None:
        self._voter = voter
        low, high = alone(np.array([[[0.0, width]]]), voter)[0, 0]
        self._width = float(high - low)
        self._under_way: tuple[Samples, Array] | None = None
        self._by_k: dict[int, Array] = {}

    def stop(self, error: float, *, min_samples: int = 4, every: int = 2) -> Stop:
        """The stopper with these options, for :func:`grm_plugin.evaluation.scaling.stopping`.

        Args:
            error: most chance, 0..0.5, that another response leads once all are drawn.
            min_samples: fewest samples to draw.
            every: samples of a round, even.
        """

        def drawn_O_G(samples: Samples, k: int, orders_O_K: Array) -> Array:
            return first_within(self._of(samples, k, orders_O_K), error, k, min_samples, every)

        return drawn_O_G

    def _of(self, samples: Samples, k: int, orders_O_K: Array) -> Array:
        now = self._under_way
        if not now or now[0] is not samples or now[1] is not orders_O_K:
            self._under_way, self._by_k = (samples, orders_O_K), {}
        if k not in self._by_k:
            rewards_G_K_N = alone(samples.scores_G_K_N, self._voter)
            risks = lead_risks(rewards_G_K_N, k, orders_O_K, width=self._width)
            self._by_k[k] = np.where(samples.sizes_G[:, None] > 1, risks, np.inf)
        return self._by_k[k]


def alone(scores_G_K_N: Array, voter: str = "mean") -> Array:
    """``rewards_G_K_N``: what each sample comes to when it alone votes.

    >>> alone(np.array([[[9.0, 2.0, 5.0]]]), "borda")
    array([[[1. , 0. , 0.5]]])
    """
    numbers_K = np.arange(scores_G_K_N.shape[1])
    return np.stack(
        [vote(scores_G_K_N[:, [k]], 1, np.zeros((1, 1), int), voter=voter)[0] for k in numbers_K],
        axis=1,
    )


def lead_risks(scores_G_K_N: Array, k: int, orders_O_K: Array, *, width: float = 9.0) -> Array:
    """``risks_O_G_R``: that another response leads at ``k``, after 2, 4, ... samples of an order.

    It is infinite where too few samples are valid for a reward, and where nothing is compared.

    Args:
        scores_G_K_N: points; NaN for a dropped sample, and for a response that is not there.
        k: most samples, 1..K.
        orders_O_K: in which samples come; the first k of each may be drawn.
        width: of the scale, in points.
    """
    drawn_R = np.arange(2, k, 2)
    return np.stack([_risks(scores_G_K_N[:, order[:k]], drawn_R, k, width) for order in orders_O_K])


def worths_of_two(scores_G_K_N: Array, k: int, orders_O_K: Array, *, width: float = 9.0) -> Array:
    """``worths_O_G_R``: noise that two more samples take off, after 2, 4, ... samples of an order.

    Args:
        scores_G_K_N, k, orders_O_K, width: as for :func:`lead_risks`.
    """
    drawn_R = np.arange(2, k, 2)
    return np.stack([_worths(scores_G_K_N[:, order[:k]], drawn_R, width) for order in orders_O_K])


def first_within(
    values_O_G_R: Array, most: float, k: int, min_samples: int = 4, every: int = 2
) -> Array:
    """``drawn_O_G``: samples after which a value is first at most ``most``; k where it never is.

    Args:
        values_O_G_R: after 2, 4, ... samples: risks, or worths.
        most: the ``error`` of ``ranking``, or the ``worth`` of ``advantage``.
        k, min_samples: of the stopper.
        every: samples of a round, even; the first has as many as ``min_samples`` or more.
    """
    drawn_R = np.arange(2, k, 2)
    first = max(every, min_samples + min_samples % 2)
    looks_R = (drawn_R >= first) & ((drawn_R - first) % every == 0)
    ends = (values_O_G_R <= most) & looks_R
    if not drawn_R.size:
        return np.full(ends.shape[:2], k)
    return np.where(ends.any(axis=2), drawn_R[ends.argmax(axis=2)], k)


def _risks(scores_G_K_N: Array, drawn_R: Array, k: int, width: float) -> Array:
    """``risks_G_R`` of samples in the order in which they come."""
    valid_G_R, there_G_N = _known(scores_G_K_N, drawn_R)
    scores = np.nan_to_num(scores_G_K_N)
    sums_G_R_N = scores.cumsum(axis=1)[:, drawn_R - 1]
    leaders_G_R = np.where(there_G_N[:, None], sums_G_R_N, -np.inf).argmax(axis=2)
    risks = np.zeros(leaders_G_R.shape)
    for rival in range(scores.shape[2]):
        total, squares = _leads(scores, leaders_G_R, rival, drawn_R)
        risk = _overtaken(total, squares, valid_G_R, drawn_R, k, width)
        risks += np.where((leaders_G_R != rival) & there_G_N[:, None, rival], risk, 0.0)
    return np.where(_are_enough(valid_G_R, drawn_R, there_G_N), risks, np.inf)


def _known(scores_G_K_N: Array, drawn_R: Array) -> tuple[Array, Array]:
    """How many of the samples drawn are valid, and which responses are there at all."""
    known = np.isfinite(scores_G_K_N)
    valid_G_R = known.any(axis=2).cumsum(axis=1)[:, drawn_R - 1]
    return np.asarray(valid_G_R), np.asarray(known.any(axis=1))


def _are_enough(valid_G_R: Array, drawn_R: Array, there_G_N: Array) -> Array:
    """Whether there would be a reward, of responses that are compared with others."""
    several_G = there_G_N.sum(axis=1) > 1
    return np.asarray((valid_G_R >= (drawn_R + 1) // 2) & several_G[:, None])


def _worths(scores_G_K_N: Array, drawn_R: Array, width: float) -> Array:
    """``worths_G_R`` of samples in the order in which they come."""
    valid_G_R, there_G_N = _known(scores_G_K_N, drawn_R)
    members_G = np.maximum(there_G_N.sum(axis=1), 1)[:, None]
    scores = np.nan_to_num(scores_G_K_N)
    means_G_K = scores.sum(axis=2) / members_G
    centred = np.where(np.isnan(scores_G_K_N), 0.0, scores - means_G_K[..., None])
    m = np.maximum(valid_G_R, 1)
    sums, squares = (each.cumsum(axis=1)[:, drawn_R - 1] for each in (centred, centred**2))
    spread = ((sums / m[..., None]) ** 2).sum(axis=2) / members_G
    deviations = (squares - sums**2 / m[..., None]).sum(axis=2) / members_G
    noise = (deviations + advantage.prior(width)) / (m - 1 + advantage.BEFORE)
    worths = noise * (1 / m - 1 / (m + 2)) / np.maximum(spread, advantage.least_spread(width))
    return np.where(_are_enough(valid_G_R, drawn_R, there_G_N), worths, np.inf)


def _leads(
    scores_G_K_N: Array, leaders_G_R: Array, rival: int, drawn_R: Array
) -> tuple[Array, Array]:
    """Sums of the leader's lead over ``rival``, and of its square, over the samples drawn."""
    leads = scores_G_K_N - scores_G_K_N[..., rival, None]
    sums = (each.cumsum(axis=1)[:, drawn_R - 1] for each in (leads, leads**2))
    at = leaders_G_R[..., None]
    total, squares = (np.take_along_axis(each, at, axis=2)[..., 0] for each in sums)
    return total, squares


def _overtaken(
    total: Array, squares: Array, valid_G_R: Array, drawn_R: Array, k: int, width: float
) -> Array:
    """:func:`grm_plugin.pipeline.overtaking.overtaken` of arrays."""
    valid = np.maximum(valid_G_R, 1)
    deviations = np.maximum(0.0, squares - total * total / valid) + prior(width)
    spread = np.sqrt(deviations / (valid + freedom(0)))
    t = total / valid / spread * np.sqrt(valid * k / (k - drawn_R))
    inside = np.empty(t.shape)
    for count in np.unique(valid):
        at = valid == count
        inside[at] = within(t[at], freedom(int(count)), np)
    return (1 - inside) / 2
