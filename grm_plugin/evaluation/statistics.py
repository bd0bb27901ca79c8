"""Means with intervals, for figures that are measured on groups. Pure functions."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from grm_plugin.pipeline.overtaking import tail

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number over groups and the interval around it, all in the unit of the values."""

    value: float
    low: float
    high: float


def bootstrap(
    values: Sequence[T],
    *,
    of: Callable[[Sequence[Any]], float] = statistics.fmean,
    clusters: Iterable[Hashable] | None = None,
    seed: int = 0,
    resamples: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """What ``of`` says of ``values`` (one per group), with its percentile bootstrap interval.

    Two ways that were tried on the same groups are compared by their differences, one a group.

    Args:
        values: at least one; the groups, not the samples, are drawn again.
        of: number of many values; the mean unless another is given.
        clusters: what each value belongs with, such as the phrasing of its task: values of one
            cluster are drawn together. None draws every value alone.
        seed: decides the resamples.
        resamples: how many.
        level: share of the resampled numbers that the interval holds, 0..1.

    Raises:
        ValueError: there are no values.

    >>> bootstrap([1.0, 1.0, 1.0])
    Estimate(value=1.0, low=1.0, high=1.0)
    """
    if not values:
        raise ValueError("values: expected at least one, got none")
    rng, units = random.Random(seed), _units(values, clusters)
    found = sorted(
        of([value for unit in rng.choices(units, k=len(units)) for value in unit])
        for _ in range(resamples)
    )
    outside = round(resamples * (1 - level) / 2)
    return Estimate(of(values), found[outside], found[resamples - 1 - outside])


def _units(values: Sequence[T], clusters: Iterable[Hashable] | None) -> list[list[T]]:
    """What is drawn together."""
    if clusters is None:
        return [[value] for value in values]
    units: dict[Hashable, list[T]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        units.setdefault(cluster, []).append(value)
    return list(units.values())


def quantile(outside: float, freedom: int) -> float:
    """The t of Student's distribution that is exceeded with the chance ``outside``, 0..0.5.

    >>> round(quantile(0.025, 9), 3)
    2.262
    """
    low, high = 0.0, 1.0
    while tail(high, freedom) > outside:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle, freedom) > outside else (low, middle)
    return high
