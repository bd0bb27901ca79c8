"""Soft weights as arrays: what :mod:`grm_plugin.pipeline.weighing` says of one judgment, of all."""

from __future__ import annotations

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Outcome, Scheme
from grm_plugin.evaluation.scaling.voting import drawn, vote
from grm_plugin.pipeline.weighing import Weighing


def margins(samples: Samples) -> Array:
    """``margin_G_K``: points between the two highest scores; 0 of a single response; NaN dropped.

    >>> from grm_plugin import Group
    >>> from grm_plugin.types import Judgment, Verdict
    >>> vote = Judgment(0, (0, 1, 2), 0, "", (8, 5, 7))
    >>> group = Group.of("q", ["a", "b", "c"], metadata={"best": 0})
    >>> margins(Samples.of([Verdict(group, None, (vote,))]))
    array([[1.]])
    """
    scores_G_K_N = samples.scores_G_K_N
    ranked = np.sort(np.where(np.isnan(scores_G_K_N), -np.inf, scores_G_K_N), axis=2)
    best, second = ranked[..., -1], ranked[..., -2]
    alone = ~np.isfinite(second) | (samples.sizes_G == 1)[:, None]
    ahead = np.where(alone, 0.0, best - np.where(alone, 0.0, second))
    return np.where(np.isfinite(best), ahead, np.nan)


def weighing(name: str, by: Weighing, voter: str = "mean") -> Scheme:
    """Every sample votes with a soft weight, relative to the heaviest that was drawn.

    Args:
        name: in reports.
        by: the coefficients; one for meta-scores drops judgments without one.
        voter: how they vote.
    """

    def outcome(samples: Samples, k: int, orders_O_K: Array, min_valid: int | None) -> Outcome:
        log_G_K = log_weights(samples, by)
        scores_G_K_N = np.where(np.isnan(log_G_K)[..., None], np.nan, samples.scores_G_K_N)
        weights = _weights(log_G_K, by, drawn(k, orders_O_K))
        return Outcome(vote(scores_G_K_N, k, orders_O_K, weights, voter=voter, min_valid=min_valid))

    return Scheme(name, outcome)


def log_weights(samples: Samples, by: Weighing) -> Array:
    """``log_G_K`` but for a constant; NaN of a dropped sample, and without a needed meta-score."""
    meta_G_K = samples.meta_G_K if by.meta else np.zeros_like(samples.meta_G_K)
    return np.asarray(by.log_weight(meta_G_K, margins(samples)))


def _weights(log_G_K: Array, by: Weighing, chosen_O_K: Array) -> Array:
    """Weights of samples: of all orders alike, unless a light one may lose its vote in some."""
    log_G_K = np.where(np.isnan(log_G_K), -np.inf, log_G_K)
    among = log_G_K if not by.drop_below else np.where(chosen_O_K[:, None], log_G_K, -np.inf)
    heaviest = among.max(axis=-1, keepdims=True)
    heaviest = np.where(np.isfinite(heaviest), heaviest, 0.0)
    return np.asarray(by.beside(among, heaviest, np.exp))
