"""Whether a classifier's probabilities are shares: reliability, ECE, Brier score. Pure."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.types.scalars import sigmoid


@dataclass(frozen=True, slots=True)
class Bin:
    """Judgments, or pairs of responses, of like probability.

    Args:
        predicted: the mean of what was predicted, 0..1.
        observed: the share that is right, 0..1.
        number: how many.
    """

    predicted: float
    observed: float
    number: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities are from shares.

    Args:
        bins: of equally many judgments each, from the lowest probability on.
        ece: expected calibration error, the mean distance of ``predicted`` and ``observed``, 0..1.
        brier: the mean squared distance of probability and label, 0..1.
        log_loss: the mean cross-entropy, in nats.
    """

    bins: tuple[Bin, ...]
    ece: float
    brier: float
    log_loss: float


def calibration(logits: Sequence[float], labels: Sequence[float], *, bins: int = 10) -> Calibration:
    """How well the sigmoid of ``logits`` tells how often judgments, or pairs, are right.

    Args:
        logits: one each, at least one.
        labels: 1 of a right one, 0 of a wrong one; a share of votes where several were asked.
        bins: how many; what has one probability may stand in two of them.

    Raises:
        ValueError: there are none, or the lengths differ.

    >>> found = calibration([0.0, 0.0], [0, 1], bins=1)
    >>> found.bins, found.ece, found.brier, round(found.log_loss, 3)
    ((Bin(predicted=0.5, observed=0.5, number=2),), 0.0, 0.25, 0.693)
    """
    if not logits:
        raise ValueError("logits: expected at least one, got none")
    known = sorted(zip(map(sigmoid, logits), labels, strict=True))
    found = tuple(_bin(known[start:end]) for start, end in _parts(len(known), bins))
    return Calibration(
        bins=found,
        ece=math.fsum(one.number * abs(one.predicted - one.observed) for one in found) / len(known),
        brier=statistics.fmean((chance - label) ** 2 for chance, label in known),
        log_loss=statistics.fmean(map(cross_entropy, logits, labels)),
    )


def cross_entropy(logit: float, label: float) -> float:
    """The loss, in nats, of a logit where the label is 0, 1 or a share between them."""
    return max(logit, 0.0) - logit * label + math.log1p(math.exp(-abs(logit)))


def _parts(number: int, bins: int) -> list[tuple[int, int]]:
    bins = min(bins, number)
    edges = [number * place // bins for place in range(bins + 1)]
    return list(itertools.pairwise(edges))


def _bin(known: Sequence[tuple[float, float]]) -> Bin:
    chances, labels = zip(*known, strict=True)
    return Bin(statistics.fmean(chances), statistics.fmean(labels), len(known))
