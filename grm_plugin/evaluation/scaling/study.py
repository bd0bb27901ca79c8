"""A study of what more samples buy: one set of samples, every scheme, every k, every part."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.outcomes import Ties
from grm_plugin.evaluation.resampling import Array, Resampling
from grm_plugin.evaluation.scaling.comparing import MEAN, Comparison
from grm_plugin.evaluation.scaling.figures import Part
from grm_plugin.evaluation.scaling.measuring import Design, Wins, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Scheme, voting
from grm_plugin.evaluation.sharing import members_of


@dataclass(frozen=True)
class Intervals:
    """How figures are given.

    Args:
        clusters: names in the metadata of groups; groups that share a value, or of a list any
            member, belong together.
        ties: how the accuracy that has an interval counts a tie at the top.
        resamples: of the bootstrap.
        level: share of the resampled figures that an interval holds, 0..1.
        seed: decides the resamples.
    """

    clusters: tuple[str, ...] = ()
    ties: Ties = "random"
    resamples: int = 2000
    level: float = 0.95
    seed: int = 0


def study(
    samples: Samples,
    schemes: Sequence[Scheme],
    design: Design,
    intervals: Intervals | None = None,
    *,
    greedy: Samples | None = None,
) -> list[Part]:
    """Every scheme at every k: overall, for each N and for each subset, where there are several.

    Args:
        samples: K of each group.
        schemes: ways to be compared; the mean is added where it is missing.
        design: which k, and in which orders the samples come.
        intervals: None: by group, 95 %.
        greedy: judgments at temperature 0 of the same groups.

    Raises:
        InputError: a group's metadata lacks a name to cluster by, or ``greedy`` lacks a group.
        ValueError: a k is not in 1..K.
    """
    intervals = intervals or Intervals()
    check_clusters(samples, intervals.clusters)
    found = _measured(samples, schemes, design)
    greedy = greedy and aligned(greedy, samples)
    at_zero = measure(greedy, [voting(MEAN)], _alone(design))[MEAN, 1] if greedy else None
    parts = []
    for name, members in parts_of(samples).items():
        few = samples.at(members)
        clusters = {one: few.named(one) for one in intervals.clusters}
        comparison = Comparison(
            samples=few,
            found=found,
            members=members,
            resampling=_resampling(len(members), clusters, intervals),
            ties=intervals.ties,
            greedy=greedy.at(members) if greedy else None,
            at_zero=at_zero.at(members) if at_zero else None,
            with_scalar=frozenset(scheme.name for scheme in schemes if scheme.scalar),
        )
        parts.append(_part(name, comparison, clusters, design))
    return parts


def _alone(design: Design) -> Design:
    return replace(design, ks=(1,), min_valid=None)


def _measured(
    samples: Samples, schemes: Sequence[Scheme], design: Design
) -> dict[tuple[str, int], Wins]:
    """What was asked for, and the means that it is compared with."""
    if all(scheme.name != MEAN for scheme in schemes):
        schemes = [voting(MEAN), *schemes]
    found = dict(measure(samples, schemes, design))
    drawn = [float(wins.drawn_G.mean()) for wins in found.values()]
    parts = parts_of(samples).values()
    drawn += [float(wins.drawn_G[one].mean()) for wins in found.values() for one in parts]
    wanted = {1, *map(math.floor, drawn), *map(math.ceil, drawn)} - {0}
    if more := tuple(sorted(k for k in wanted if (MEAN, k) not in found)):
        found |= measure(samples, [voting(MEAN)], replace(design, ks=more))
    return found


def _resampling(groups: int, clusters: Mapping[str, list[Any]], intervals: Intervals) -> Resampling:
    return Resampling(
        groups,
        list(clusters.values()),
        resamples=intervals.resamples,
        level=intervals.level,
        seed=intervals.seed,
    )


def _part(
    name: str, comparison: Comparison, clusters: Mapping[str, list[Any]], design: Design
) -> Part:
    return Part(
        name=name,
        groups=len(comparison.members),
        clusters={
            one: len({name for value in values for name in members_of(value)})
            for one, values in clusters.items()
        },
        chance=float((1 / np.maximum(comparison.samples.sizes_G, 2)).mean()),
        points=tuple(comparison.points(design.ks)),
        greedy=comparison.greedy_point(),
    )


def aligned(greedy: Samples, samples: Samples) -> Samples:
    """Those of ``greedy`` that belong to the groups of ``samples``, in their order.

    Raises:
        InputError: a group has none.
    """
    places: dict[tuple[str, str], list[int]] = {}
    for place, group in enumerate(greedy.groups):
        places.setdefault((group.id, group.fingerprint), []).append(place)
    numbers = []
    for group in samples.groups:
        if not (found := places.get((group.id, group.fingerprint))):
            raise InputError(
                f"group {group.label} has samples and no greedy judgment; judge it at temperature "
                "0, too, or leave greedy out"
            )
        numbers.append(found.pop(0) if len(found) > 1 else found[0])
    return greedy.at(numbers)


def check_clusters(samples: Samples, clusters: Sequence[str]) -> None:
    """Refuse names that some group's metadata does not have: such groups would be one cluster.

    Raises:
        InputError: there is one.
    """
    known = sorted({str(name) for group in samples.groups for name in group.metadata})
    for name in clusters:
        if name not in known:
            raise InputError(
                f"cluster: no group's metadata has {quoted(name)}; it has {', '.join(known)}"
            )
        if lacking := [one for one in samples.groups if one.metadata.get(name) is None]:
            raise InputError(
                f"cluster: expected a {quoted(name)} of every group, and {len(lacking)} of "
                f"{len(samples.groups)} have none, such as group {lacking[0].label}"
            )


def parts_of(samples: Samples) -> dict[str, Array]:
    """The numbers of the groups that are reported together, by the name of the part."""
    parts = {"overall": np.arange(len(samples.groups))}
    sizes: list[Any] = [int(n) for n in samples.sizes_G]
    kinds = {"N =": sizes, "subset": samples.named("subset")}
    for kind, values in kinds.items():
        several = {one for one in values if one is not None}
        for value in sorted(several, key=str) if len(several) > 1 else ():
            (members,) = np.nonzero([one == value for one in values])
            if not any(np.array_equal(members, one) for one in parts.values()):
                parts[f"{kind} {value}"] = members
    return parts
