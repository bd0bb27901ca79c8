"""What is watched while a judge learns by its outcomes: form, ties, criteria, collapse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from grm_plugin.spct.rewarding import Outcome


def numbers(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """What each judgment of a batch tells, for means over all batches and processes.

    ``readable`` and ``ties`` are 0 or 1 for every judgment. ``margin`` (points between the best and
    the second best score), ``criteria`` and ``largest_weight`` (share of all weights, 0..1) are
    those of the judgments that have them; what none has is left out.

    >>> numbers([Outcome(1.0, margin=3.0), Outcome(-1.0, failure="unreadable")])
    {'readable': [1.0, 0.0], 'ties': [0.0, 0.0], 'margin': [3.0]}
    """
    told: dict[str, list[float | int | None]] = {
        "readable": [one.readable for one in outcomes],
        "ties": [one.tie for one in outcomes],
        "margin": [one.margin for one in outcomes],
        "criteria": [one.criteria for one in outcomes],
        "largest_weight": [one.largest_weight for one in outcomes],
    }
    known = {name: _known(values) for name, values in told.items()}
    return {name: values for name, values in known.items() if values}


def by_subset(
    rewards: Sequence[float], subsets: Sequence[str], groups: Iterable[Sequence[int]]
) -> Mapping[str, Mapping[str, list[float]]]:
    """For every subset the rewards of its judgments, and which of its groups teach nothing.

    Args:
        rewards: of all completions of a batch.
        subsets: of each of them.
        groups: the places of completions to one prompt; a group of equal rewards moves no weight.

    Returns:
        ``reward`` (-1 or 1, of each judgment) and ``no_spread`` (0 or 1, of each group) by the name
        of the subset.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for group in groups:
        earned = [rewards[place] for place in group]
        subset = found.setdefault(subsets[group[0]], {"reward": [], "no_spread": []})
        subset["reward"] += earned
        subset["no_spread"].append(float(len(set(earned)) == 1))
    return found


def _known(values: Iterable[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None]
