"""How sure the stopper ``ranking`` has to be, fixed on recorded samples. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from grm_plugin.errors import InputError
from grm_plugin.evaluation.resampling import Difference
from grm_plugin.evaluation.scaling import (
    Design,
    Intervals,
    Point,
    Samples,
    stopping,
    study,
    voting,
)
from grm_plugin.evaluation.scaling.early import LeadRisks
from grm_plugin.evaluation.truth import LABELS
from grm_plugin.types import Scale, Verdict

ERRORS = (
    *(0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06),
    *(0.07, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4),
)
"""The values of ``error`` that are tried."""
_SCALE = Scale(1, 10)


@dataclass(frozen=True)
class Threshold:
    """What the stopper comes to with one ``error``, at the same cap.

    Args:
        error: the option.
        samples: drawn of a group on average.
        saved: share of the k samples that are not drawn, 0..1.
        change: of the accuracy, against all k samples.
        over_uniform: of the accuracy, against as many samples of every group.
    """

    error: float
    samples: float
    saved: float
    change: Difference
    over_uniform: Difference | None


@dataclass(frozen=True)
class Trial:
    """How the values of ``error`` were tried.

    Args:
        k: most samples of a group.
        min_samples: fewest.
        scale: of the scores, in points.
        orders: random orders of the samples, the same ones for every value.
        seed: decides the orders and the resamples of the intervals.
        clusters: names in the metadata of groups; groups that share a value, or of a list any
            member, belong together.
    """

    k: int
    min_samples: int = 4
    scale: Scale = _SCALE
    orders: int = 64
    seed: int = 0
    clusters: tuple[str, ...] = ()


def tried(verdicts: Sequence[Verdict], trial: Trial) -> list[Threshold]:
    """What every one of :data:`ERRORS` comes to on labelled verdicts, ascending.

    Raises:
        InputError: there is no verdict, one has fewer than k samples or no label, or its responses
            were not judged together.
    """
    samples = Samples.of(verdicts)
    if trial.k > samples.samples:
        raise InputError(
            f"k: expected at most {samples.samples}, the samples of each group on record, got "
            f"{trial.k}; draw them with stop: fixed"
        )
    risks = LeadRisks(trial.scale.high - trial.scale.low)
    stops = {error: risks.stop(error, min_samples=trial.min_samples) for error in ERRORS}
    schemes = [voting("mean"), *(stopping(str(error), stop) for error, stop in stops.items())]
    design = Design(
        (trial.k,), orders=trial.orders, seed=trial.seed, balanced=are_balanced(verdicts)
    )
    whole, *_ = study(samples, schemes, design, Intervals(trial.clusters, seed=trial.seed))
    points = {one.scheme: one for one in whole.points}
    return [_threshold(error, points[str(error)]) for error in ERRORS]


def _threshold(error: float, point: Point) -> Threshold:
    drawn, against = point.cost.samples, point.against
    return Threshold(error, drawn, 1 - drawn / point.k, against["mean"], against.get("uniform"))


def largest(thresholds: Sequence[Threshold], lose: float) -> Threshold | None:
    """The largest error up to which no more accuracy is lost than may be; None where there is none.

    Args:
        thresholds: ascending.
        lose: most accuracy that may be lost against all k samples, 0..1.
    """
    found = None
    for one in thresholds:
        if one.change.value < -lose:
            break
        found = one
    return found


def are_balanced(verdicts: Sequence[Verdict]) -> bool:
    """Whether all were judged in balanced shuffles, which orders of their samples then keep."""
    return all(one.origin.get("shuffle") == "balanced" for one in verdicts)


def are_labelled(verdicts: Sequence[Verdict]) -> bool:
    """Whether the metadata of every group says which response is best."""
    return all(any(name in one.group.metadata for name in LABELS) for one in verdicts)


def labelled_by_all(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Verdicts whose label is the response that leads when all their samples vote.

    Those without a single leader are left out. Accuracy is then how often fewer samples agree.
    """
    return list(_led(verdicts))


def _led(verdicts: Sequence[Verdict]) -> Iterator[Verdict]:
    for verdict in verdicts:
        sums = _sums(verdict)
        if sums.count(max(sums)) == 1 and len(sums) > 1:
            known = {**verdict.group.metadata, "best": sums.index(max(sums))}
            yield replace(verdict, group=replace(verdict.group, metadata=known))


def _sums(verdict: Verdict) -> list[float]:
    columns = zip(*(one.scores for one in verdict.judgments), strict=True)
    sums = [sum(score or 0.0 for score in column) for column in columns]
    return sums or [0.0, 0.0]
