"""A voter that leaves out the extremes, and an observer that counts verdicts."""

from __future__ import annotations

from collections import Counter
from statistics import fmean

from grm_plugin import hookimpl

seen: Counter[str] = Counter()


def trimmed_mean(options, limits):
    """The voter; it has no options."""
    return _trimmed_mean


def _trimmed_mean(scores_K_N, scale):
    """The mean without the lowest and the highest score, mapped to 0..1."""
    columns = [sorted(column) for column in zip(*scores_K_N, strict=True)]
    return tuple(scale.to_unit(fmean(column[1:-1] or column)) for column in columns)


@hookimpl
def grm_register_voters(register) -> None:
    """Offer the voter."""
    register("trimmed_mean", trimmed_mean)


@hookimpl
def grm_on_verdict(group, verdict) -> None:
    """Count verdicts."""
    seen["scored" if verdict.scored else "unscored"] += 1
