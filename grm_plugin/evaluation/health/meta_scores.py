"""Whether a meta RM's scores tell right judgments from wrong ones, and are probabilities."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from grm_plugin.evaluation.accuracy import hit
from grm_plugin.evaluation.auc import AUC, auc
from grm_plugin.evaluation.calibration import Calibration, calibration
from grm_plugin.types import Judgment, Verdict
from grm_plugin.types.scalars import sigmoid

MOST = 1 << 16
"""Judgments that are kept; of more, a random choice."""
_MOST_LOGIT = 1e9  # either way: as sure as can be


@dataclass(frozen=True, slots=True)
class Rated:
    """One judgment with a meta-score, of a group whose best response is known.

    Args:
        logit: the meta-score.
        label: 1 where the best response alone has the highest score, else 0.
        margin: points between the two highest scores.
    """

    logit: float
    label: int
    margin: float


@dataclass
class MetaScores:
    """Judgments that a meta RM rated; at most :data:`MOST`, chosen at random with a fixed seed."""

    number: int = 0
    _kept: list[tuple[Rated, int]] = field(default_factory=list)
    _rng: random.Random = field(default_factory=lambda: random.Random(0))

    def add(self, rated: Rated, block: int) -> None:
        """Keep it, with the block of what it belongs with, or not: reservoir sampling."""
        self.number += 1
        if len(self._kept) < MOST:
            self._kept.append((rated, block))
        elif (place := self._rng.randrange(self.number)) < MOST:
            self._kept[place] = rated, block

    def auc(self) -> AUC:
        """The chance that a right judgment has the higher score, among judgments of one margin.

        A judgment that ties at the top is wrong, so that the margin alone tells right from wrong;
        what a meta RM knows besides shows among equal margins.
        """
        return auc(
            [one.logit for one, _ in self._kept],
            [one.label for one, _ in self._kept],
            strata=[one.margin for one, _ in self._kept],
            clusters=[block for _, block in self._kept],
        )

    def calibration(self) -> Calibration | None:
        """How far the sigmoid of the scores is from the share of right judgments; None of none."""
        if not self._kept:
            return None
        known = [one for one, _ in self._kept]
        return calibration([one.logit for one in known], [one.label for one in known])


def rated(verdict: Verdict, best: int) -> Iterator[Rated]:
    """The judgments of one group that have a meta-score."""
    for judgment in verdict.judgments:
        if judgment.meta_score is not None and judgment.scores[best] is not None:
            label = int(hit(judgment.scores, best, ties="strict"))
            logit = max(-_MOST_LOGIT, min(_MOST_LOGIT, judgment.meta_score))
            yield Rated(logit, label, _margin(judgment))


def meta_sums(found: list[Rated]) -> dict[str, float]:
    """Probability and label of rated judgments, summed."""
    if not found:
        return {}
    chances = [sigmoid(one.logit) for one in found]
    errors = [chance - one.label for chance, one in zip(chances, found, strict=True)]
    return {
        "rated": len(found),
        "rated too high": sum(errors),
        "rated squares": sum(error * error for error in errors),
    }


def _margin(judgment: Judgment) -> float:
    scores = sorted(score for score in judgment.scores if score is not None)
    return scores[-1] - scores[-2] if len(scores) > 1 else 0.0
