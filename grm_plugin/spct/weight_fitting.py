"""Fits soft weights to labelled groups whose judgments are on record. Needs numpy.

The weighted mean scores of a group, over a temperature, are logits of which response is best. The
coefficients make the labels as likely as they can be over random subsets of the samples, with a
prior towards equal weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.margin import margins
from grm_plugin.evaluation.scaling.orders import draw_orders
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.pipeline.weighing import Weighing

Feature = Literal["meta", "margin"]

_STEPS = 60
_CLOSE = 1e-9
_NUDGE = 1e-4  # of a parameter, to see how the slope changes


@dataclass(frozen=True)
class Fitting:
    """How weights are fitted.

    Args:
        ks: sizes of the subsets; those over the samples there are count as all of them.
        orders: random subsets of each size.
        prior: how strong the pull towards equal weights is: that of so many groups.
        seed: decides the subsets.
    """

    ks: tuple[int, ...] = (4, 8, 16, 32)
    orders: int = 16
    prior: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Fitted:
    """Coefficients, and how well they tell the best response.

    Args:
        weighing: the coefficients.
        temperature: points; how far weighted means lie apart for odds of e to 1.
        log_likelihood: of a group's label, in nats: the mean.
        equal: the same with equal weights and the temperature that suits them best.
    """

    weighing: Weighing
    temperature: float
    log_likelihood: float
    equal: float


def fit_weights(
    samples: Samples, features: Sequence[Feature], fitting: Fitting, *, drop_below: float = 0.0
) -> Fitted:
    """The coefficients of ``features`` that suit ``samples``; the others are 0.

    Args:
        samples: of groups with labels.
        features: what weights may depend on.
        fitting: as above.
        drop_below: passed on; it is not fitted, and the fit does not know of it. A weight that is
            next to nothing is as good as a vote that is taken away.
    """
    known = _Known.of(samples, features, fitting)
    equal = _climb(_Known.of(samples, (), fitting), np.zeros(1))
    start = np.array([*np.zeros(len(features)), equal[-1]])
    found = _climb(known, start)
    coefficients = dict(zip(features, found[:-1] / known.spreads, strict=True))
    return Fitted(
        weighing=Weighing(
            **{name: float(value) for name, value in coefficients.items()}, drop_below=drop_below
        ),
        temperature=float(np.exp(found[-1])),
        log_likelihood=known.likelihood(found),
        equal=known.likelihood(np.array([*np.zeros(len(features)), equal[-1]])),
    )


@dataclass(frozen=True)
class _Known:
    """What the likelihood is made of; J features, B subsets.

    Parameters are J coefficients of features in units of their standard deviation, then the
    logarithm of the temperature.
    """

    scores_G_K_N: Array  # 0 where there is none
    valid_G_K: Array
    there_G_N: Array
    features_J_G_K: Array
    spreads: Array
    subsets_B_K: Array
    best_G: Array
    prior: float

    @classmethod
    def of(cls, samples: Samples, features: Sequence[Feature], fitting: Fitting) -> _Known:
        values = {"meta": samples.meta_G_K, "margin": margins(samples)}
        chosen = [values[name] for name in features]
        valid_G_K = np.asarray(~np.isnan(samples.scores_G_K_N).all(axis=2))
        for value_G_K in chosen:
            valid_G_K &= ~np.isnan(value_G_K)
        centred = [np.where(valid_G_K, one - one[valid_G_K].mean(), 0.0) for one in chosen]
        spreads = np.array([one[valid_G_K].std() or 1.0 for one in centred])
        orders = draw_orders(samples.samples, fitting.orders, seed=fitting.seed)
        places = np.argsort(orders, axis=1)
        sizes = sorted({min(k, samples.samples) for k in fitting.ks})
        return cls(
            np.nan_to_num(samples.scores_G_K_N),
            valid_G_K,
            np.asarray(~np.isnan(samples.scores_G_K_N).all(axis=1)),
            np.array([one / spread for one, spread in zip(centred, spreads, strict=True)]),
            spreads,
            np.concatenate([places < k for k in sizes]).astype(float),
            samples.best_G,
            fitting.prior / len(samples.groups),
        )

    def likelihood(self, parameters: Array) -> float:
        """The mean log-likelihood of a label, without the prior."""
        means, _, known_B_G = self._means(parameters)
        found_B_G = np.take_along_axis(
            self._log_chances(means, parameters), self.best_G[None, :, None], axis=2
        )[..., 0]
        return float(found_B_G[known_B_G].mean())

    def slope(self, parameters: Array) -> Array:
        """The derivative of the likelihood with its prior by each parameter."""
        means, weights_G_K, known_B_G = self._means(parameters)
        chances = np.exp(self._log_chances(means, parameters))
        right = np.arange(chances.shape[2]) == self.best_G[:, None]
        pull = np.where(known_B_G[..., None] & self.there_G_N, right - chances, 0.0)
        pull /= np.exp(parameters[-1]) * known_B_G.sum()
        slopes = [
            (pull * self._moved(feature_G_K, means, weights_G_K)).sum()
            for feature_G_K in self.features_J_G_K
        ]
        coefficients = np.append(parameters[:-1], 0.0)
        return np.array([*slopes, -(pull * means).sum()]) - self.prior * coefficients

    def _means(self, parameters: Array) -> tuple[Array, Array, Array]:
        """``means_B_G_N`` (points), the weights, and whether any judgment of a subset is valid."""
        log_G_K = np.tensordot(parameters[:-1], self.features_J_G_K, axes=1) * self.valid_G_K
        heaviest = log_G_K.max(axis=1, keepdims=True)
        weights_G_K = np.exp(log_G_K - heaviest) * self.valid_G_K
        total_B_G = self.subsets_B_K @ weights_G_K.T
        known_B_G = total_B_G > 0
        sums = self._sums(weights_G_K[..., None] * self.scores_G_K_N)
        return sums / np.where(known_B_G, total_B_G, 1.0)[..., None], weights_G_K, known_B_G

    def _moved(self, feature_G_K: Array, means: Array, weights_G_K: Array) -> Array:
        """By how much the means change with the coefficient of a feature."""
        weighed = weights_G_K * feature_G_K
        total_B_G = self.subsets_B_K @ weights_G_K.T
        shift = self.subsets_B_K @ weighed.T
        sums = self._sums(weighed[..., None] * self.scores_G_K_N)
        return np.asarray(
            (sums - means * shift[..., None]) / np.where(total_B_G > 0, total_B_G, 1.0)[..., None]
        )

    def _sums(self, values_G_K_N: Array) -> Array:
        groups, samples, n = values_G_K_N.shape
        flat = values_G_K_N.transpose(1, 0, 2).reshape(samples, groups * n)
        return np.asarray((self.subsets_B_K @ flat).reshape(-1, groups, n))

    def _log_chances(self, means: Array, parameters: Array) -> Array:
        logits = np.where(self.there_G_N, means / np.exp(parameters[-1]), -np.inf)
        top = logits.max(axis=2, keepdims=True)
        return np.asarray(logits - top - np.log(np.exp(logits - top).sum(axis=2, keepdims=True)))


def _climb(known: _Known, start: Array) -> Array:
    """Where the slope is 0, by Newton's method; a step that is no gain is halved."""
    found, height = start, _height(known, start)
    for _ in range(_STEPS):
        slope = known.slope(found)
        step = _step(known.slope, found, slope)
        while _height(known, found + step) < height and np.abs(step).max() > _CLOSE:
            step = step / 2
        found = found + step
        height = _height(known, found)
        if np.abs(step).max() < _CLOSE * 10:
            break
    return found


def _height(known: _Known, parameters: Array) -> float:
    return known.likelihood(parameters) - known.prior * float((parameters[:-1] ** 2).sum()) / 2


def _step(slope: Callable[[Array], Array], at: Array, here: Array) -> Array:
    """Newton's step; where the height is not concave along an axis, a step up the slope."""
    nudges = np.eye(len(at)) * _NUDGE
    bend = np.array([(slope(at + nudge) - slope(at - nudge)) / (2 * _NUDGE) for nudge in nudges])
    values, axes = np.linalg.eigh((bend + bend.T) / 2)
    along = axes.T @ here / np.maximum(np.abs(values), 1e-6)
    length = float(np.abs(along).max())
    return np.asarray(axes @ along / max(1.0, length))
