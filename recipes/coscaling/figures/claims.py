"""The claims of the protocol, each as a number per seed, its interval, and whether it was met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from grm_plugin.evaluation.paired import holm
from grm_plugin.evaluation.statistics import Estimate
from recipes.coscaling.figures.arms import Arms
from recipes.coscaling.figures.limits import REACHED, READINGS
from recipes.coscaling.figures.seeds import BySeed, over_seeds, paired, surprise

ALONE = ("scalar", "scalar_kl", "scalar_dense", "scalar_ensemble")
"""Arms of which the best is the scalar RM that is compared with."""
WITHIN = 0.02
CHEAPER = 0.7
LARGEST_GAP = 0.03
_ABOVE = "interval above 0"


@dataclass(frozen=True)
class Claim:
    """What the protocol aims at, and what it came to.

    Args:
        name: of the difference.
        aim: in words.
        seeds: the difference of each seed.
        found: their mean with its interval.
        holds: whether the aim was met; None while there is no verdict.
        open: why there is no verdict; empty where there is one.
        beside: the same by other readings, and what else belongs to it.
    """

    name: str
    aim: str
    seeds: BySeed
    found: Estimate
    holds: bool | None
    beside: Mapping[str, Estimate] = field(default_factory=dict)
    open: str = ""

    @property
    def p(self) -> float:
        """Two-sided, of no difference."""
        return surprise(list(self.seeds.values()))


def claims(arms: Arms) -> list[Claim]:
    """Those of which a pair of runs with two seeds in common is there."""
    found = [
        _above_scalar(arms, "grm_k8", "steps"),
        _above_scalar(arms, "growing", "flops"),
        _above(arms, "growing", "grm_k1", "tokens", "growing"),
        _above(arms, "growing", "grm_k2", "tokens", "growing"),
        _as_good(arms),
        _gap(arms),
    ]
    return [_without_verdict(one) if one.open else one for one in found if one]


def _without_verdict(claim: Claim) -> Claim:
    return replace(claim, holds=None)


def not_by_holm(found: Sequence[Claim], level: float = 0.05, tests: int = 4) -> list[str]:
    """Names of differences above 0 that are met alone, and not by Holm's rule over all ``tests``.

    Those that are not measured yet count as differences of none.
    """
    aimed = [one for one in found if one.aim == _ABOVE]
    corrected = holm([one.p for one in aimed] + [1.0] * (tests - len(aimed)))
    return [one.name for one, p in zip(aimed, corrected, strict=False) if one.holds and p > level]


def _above_scalar(arms: Arms, first: str, cost: str) -> Claim | None:
    """First minus the best scalar arm; and minus the best with the most seeds, where it has fewer.

    An arm of which only one seed can be compared is no candidate yet.
    """
    shared = {name: len(arms.runs(name).keys() & arms.runs(first).keys()) for name in ALONE}
    most = max(shared.values())
    if most < 2:
        return None
    best = best_of(arms, [name for name in ALONE if shared[name] > 1], cost, first)
    full = best_of(arms, [name for name in ALONE if shared[name] == most], cost, first)
    claim, other = (_above(arms, first, name, cost, first) for name in (best, full))
    if claim and not claim.open:  # also the others could still be the best
        claim = replace(claim, open=arms.lacking(*ALONE))
    if claim is None or other is None or best == full:
        return claim
    return replace(claim, beside={**claim.beside, f"over {full}, {most} seeds": other.found})


def best_of(arms: Arms, names: Sequence[str], cost: str, of: str) -> str:
    """The arm that the tuning queries like best where it is compared."""
    return max(names, key=lambda name: arms.liked(name, cost, of=of))


def _above(arms: Arms, first: str, second: str, cost: str, of: str) -> Claim | None:
    """First minus second where both had spent what ``of`` had in all its planned rounds."""
    differences = {
        reading: paired(arms.at(first, cost, reading, of=of), arms.at(second, cost, reading, of=of))
        for reading in READINGS
    }
    seeds = differences["final"]
    if len(seeds) < 2:
        return None
    found, beside = over_seeds(list(seeds.values())), _beside(differences)
    shares = {name: arms.share(name, cost, of=of) for name in (first, second)}
    least = min(shares, key=lambda name: shares[name])
    beside["reached share"] = Estimate(shares[least], shares[least], shares[least])
    why = arms.lacking(first, second, of)
    if not why and shares[least] < REACHED:
        why = f"{least} spent {shares[least]:.2f} of the {cost}"
    name = f"{first} - {second}, equal {cost}"
    return Claim(name, _ABOVE, seeds, found, found.low > 0, beside, why)


def _beside(differences: Mapping[str, BySeed]) -> dict[str, Estimate]:
    return {
        reading: over_seeds(list(seeds.values()))
        for reading, seeds in differences.items()
        if reading != "final"
    }


def _as_good(arms: Arms) -> Claim | None:
    first, second = "scalar_k4", "grm_k8"
    claim = _above(arms, first, second, "steps", second)
    if claim is None:
        return None
    share = arms.a_response(first, "flops") / arms.a_response(second, "flops")
    aim = f"interval above -{WITHIN} at no more than {CHEAPER} of the FLOPs"
    holds = claim.found.low > -WITHIN and share <= CHEAPER
    beside = {**claim.beside, "share of the FLOPs": Estimate(share, share, share)}
    return replace(claim, aim=aim, holds=holds, beside=beside)


def _gap(arms: Arms) -> Claim | None:
    gaps = arms.gaps("grm_k8")
    if len(gaps) < 2:
        return None
    seeds = {seed: one.quality for seed, one in gaps.items()}
    found = over_seeds(list(seeds.values()))
    beside = {"standard deviations": over_seeds([one.standard for one in gaps.values()])}
    aim = f"interval below {LARGEST_GAP}"
    holds, why = found.high < LARGEST_GAP, arms.lacking("grm_k8")
    return Claim("hacking gap of grm_k8", aim, seeds, found, holds, beside, why)
