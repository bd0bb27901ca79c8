"""Soft weights as arrays: what :mod:`grm_plugin.pipeline.weighing` says of one judgment, of all."""

from __future__ import annotations

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.margin import margins
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Outcome, Scheme
from grm_plugin.evaluation.scaling.voting import drawn, vote
from grm_plugin.pipeline.weighing import Weighing


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
