"""How healthy a judge is: every number of it, from one pass over its verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from grm_plugin.evaluation.blocks import Blocks, Totals, cluster_of
from grm_plugin.evaluation.calibration import Calibration
from grm_plugin.evaluation.health.answers import answer_sums, tie_sums
from grm_plugin.evaluation.health.known import single_best, truth_values
from grm_plugin.evaluation.health.meanings import MEANINGS
from grm_plugin.evaluation.health.measured import Measurement, measured
from grm_plugin.evaluation.health.measures import (
    MEASURES,
    Measure,
    accuracy_at,
    dropped,
    lift_at,
)
from grm_plugin.evaluation.health.meta_scores import MetaScores, meta_sums, rated
from grm_plugin.evaluation.health.orders import order_sums
from grm_plugin.evaluation.health.positions import place_sums, places
from grm_plugin.evaluation.health.reliability import vote_sums
from grm_plugin.evaluation.health.traits import trait_sums
from grm_plugin.types import Verdict


@dataclass(frozen=True, slots=True)
class Health:
    """What the verdicts of one judge say about it.

    Args:
        verdicts: how many there were.
        measurements: every number that they tell; those of one section stand together.
        calibration: of the meta RM, with its bins; None where there are no meta-scores of groups
            whose best response is known.
    """

    verdicts: int
    measurements: tuple[Measurement, ...]
    calibration: Calibration | None = None

    def __getitem__(self, name: str) -> Measurement:
        """The number of that name.

        Raises:
            KeyError: the verdicts do not tell it.
        """
        found = {one.name: one for one in self.measurements}
        if name not in found:
            raise KeyError(f"{name}: these verdicts tell only {', '.join(found) or 'nothing'}")
        return found[name]

    def __contains__(self, name: object) -> bool:
        return any(one.name == name for one in self.measurements)

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self.measurements)

    def as_json(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return {
            "verdicts": self.verdicts,
            "measurements": [one.as_json() for one in self.measurements],
            "calibration": asdict(self.calibration) if self.calibration else None,
        }


class HealthSums:
    """Verdicts added up, one by one; what is kept of them does not grow with their number."""

    def __init__(self) -> None:
        self._verdicts = 0
        self._blocks = Blocks()
        self._meta = MetaScores()

    def add(self, verdict: Verdict) -> None:
        """Add one verdict, scored or not."""
        self._verdicts += 1
        truth_N = truth_values(verdict.group)
        best, cluster = single_best(truth_N), cluster_of(verdict.group)
        found = list(rated(verdict, best)) if best is not None else []
        block = self._blocks.add(
            cluster,
            {
                **answer_sums(verdict),
                **tie_sums(verdict),
                **place_sums(verdict, best),
                **order_sums(verdict),
                **trait_sums(verdict, truth_N),
                **vote_sums(verdict),
                **meta_sums(found),
            },
        )
        for one in found:
            self._meta.add(one, block)

    def health(self) -> Health:
        """What all of them say."""
        totals = self._blocks.totals()
        found = [
            *_measured(MEASURES, totals),
            *_of_places(totals),
            *(one for one in _measured(dropped(), totals) if one.value),
            *self._of_meta(),
        ]
        sections = list(dict.fromkeys(measure.meaning.section for measure in MEASURES))
        found.sort(key=lambda one: sections.index(one.meaning.section))
        return Health(self._verdicts, tuple(found), self._meta.calibration())

    def _of_meta(self) -> Iterator[Measurement]:
        found, calibration = self._meta.auc(), self._meta.calibration()
        if found.pairs:
            ends = found.value, found.low, found.high
            yield Measurement(MEANINGS["meta_auc"], *ends, found.pairs)
        if calibration:
            error = calibration.ece, math.nan, math.nan
            yield Measurement(MEANINGS["meta_ece"], *error, self._meta.number)


def _measured(
    measures: Iterable[Measure], totals: Totals, level: float = 0.95
) -> list[Measurement]:
    found = (measured(measure, totals, level) for measure in measures)
    return [one for one in found if one]


def _of_places(totals: Totals) -> list[Measurement]:
    """With intervals that hold together: Bonferroni's."""
    known = places(totals.all)
    level = 1 - 0.05 / max(1, len(known))
    return _measured([*map(lift_at, known), *map(accuracy_at, known)], totals, level)


def health_of(verdicts: Iterable[Verdict]) -> Health:
    """What verdicts say about the judge that gave them, in one pass.

    Args:
        verdicts: of one judge, scored or not. Some numbers ask for the truth in the metadata of
            groups, others for two or more samples or responses; what can not be told is left out.

    >>> from grm_plugin import Group
    >>> from grm_plugin.types import Judgment
    >>> first = Judgment(0, (0, 1), 0, "", (9.0, 5.0))
    >>> second = Judgment(1, (1, 0), 0, "", (8.0, 8.0))
    >>> verdict = Verdict(Group.of("q", ["a", "b"]), (0.8, 0.6), (first, second))
    >>> health_of([verdict])["judgment_tie_rate"].value
    0.5
    """
    sums = HealthSums()
    for verdict in verdicts:
        sums.add(verdict)
    return sums.health()
