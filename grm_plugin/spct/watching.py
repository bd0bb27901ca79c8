"""What is watched while a judge learns by its outcomes: form, ties, criteria, collapse."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from grm_plugin.spct.rewarding import Outcome


def numbers(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """What a batch of judgments looks like; a number that no judgment tells is left out.

    ``readable`` and ``ties`` are shares of all judgments, 0..1. ``margin`` (points between the best
    and the second best score), ``criteria`` and ``largest_weight`` (share of all weights, 0..1) are
    means over the judgments that have them.

    >>> numbers([Outcome(1.0, margin=3.0), Outcome(-1.0, failure="unreadable")])
    {'readable': 0.5, 'ties': 0.0, 'margin': 3.0}
    """
    means: dict[str, list[float | int | None]] = {
        "readable": [one.readable for one in outcomes],
        "ties": [one.tie for one in outcomes],
        "margin": [one.margin for one in outcomes],
        "criteria": [one.criteria for one in outcomes],
        "largest_weight": [one.largest_weight for one in outcomes],
    }
    known = {name: _known(values) for name, values in means.items()}
    return {name: statistics.fmean(values) for name, values in known.items() if values}


def by_subset(
    rewards: Sequence[float], subsets: Sequence[str], groups: Iterable[Sequence[int]]
) -> Mapping[str, Mapping[str, float]]:
    """For every subset its mean reward, and the share of its groups that teach nothing.

    Args:
        rewards: of all completions of a batch.
        subsets: of each of them.
        groups: the places of completions to one prompt; a group of equal rewards moves no weight.

    Returns:
        ``reward`` (-1..1) and ``no_spread`` (0..1) by the name of the subset.
    """
    spread: dict[str, list[bool]] = {}
    mean: dict[str, list[float]] = {}
    for group in groups:
        subset = subsets[group[0]]
        earned = [rewards[place] for place in group]
        mean.setdefault(subset, []).extend(earned)
        spread.setdefault(subset, []).append(len(set(earned)) == 1)
    return {
        name: {"reward": statistics.fmean(mean[name]), "no_spread": statistics.fmean(spread[name])}
        for name in sorted(mean)
    }


def _known(values: Iterable[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None]
