"""How far ahead the best response is by each judgment: the baseline of whatever a meta RM says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.samples import Samples


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


def by_margin(samples: Samples) -> Samples:
    """The same judgments, with their margin in the place of the meta-score."""
    return replace(samples, meta_G_K=margins(samples))
