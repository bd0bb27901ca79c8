"""A measured number with its interval, told for people and for JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from grm_plugin.evaluation.blocks import Totals
from grm_plugin.evaluation.health.meanings import Meaning, Unit
from grm_plugin.evaluation.health.measures import Measure


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number of a judge's health.

    Args:
        meaning: what it is called, and says.
        value: in the unit of its meaning; infinite where no number of votes is enough.
        low, high: its 95 % interval; NaN where there is too little to tell.
        n: how many of the meaning's units it is of.
    """

    meaning: Meaning
    value: float
    low: float
    high: float
    n: int

    @property
    def name(self) -> str:
        """As JSON and metrics call it."""
        return self.meaning.name

    @property
    def off_neutral(self) -> bool:
        """Whether the interval excludes what the number is without a bias."""
        neutral = self.meaning.neutral
        if neutral is None or math.isnan(self.low):
            return False
        return not self.low <= neutral <= self.high

    @property
    def told(self) -> str:
        """The number as people read it."""
        return _told(self.value, self.meaning.unit)

    @property
    def interval(self) -> str:
        """Its interval as people read it; empty where there is none."""
        if math.isnan(self.low):
            return ""
        return f"{_told(self.low, self.meaning.unit)} to {_told(self.high, self.meaning.unit)}"

    @property
    def text(self) -> str:
        """Both."""
        return f"{self.told} ({self.interval})" if self.interval else self.told

    def as_json(self) -> dict[str, Any]:
        """All of it, flat; what JSON can not hold is None."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        found = asdict(self.meaning)
        return {
            **found,
            "meaning": found.pop("text"),
            **{name: one if math.isfinite(one) else None for name, one in numbers.items()},
            "n": self.n,
            "text": self.text,
            "told": self.told,
            "interval": self.interval,
            "off_neutral": self.off_neutral,
        }


def measured(measure: Measure, totals: Totals, level: float = 0.95) -> Measurement | None:
    """What ``totals`` say of ``measure``; None where they do not tell it.

    Args:
        measure: what is asked.
        totals: the sums over verdicts.
        level: share of such intervals that hold the true number, 0..1.
    """
    number = round(totals.all.get(measure.counted, 0.0))
    found = totals.estimate(measure.of, measure.counted, measure.shape, level)
    if not number or math.isnan(found.value):
        return None
    value, *ends = found.value, found.low, found.high
    if measure.then:
        value, *ends = map(measure.then, (value, *ends))
    return Measurement(measure.meaning, value, min(ends), max(ends), number)


def _told(value: float, unit: Unit) -> str:
    if unit in ("share", "difference"):
        return f"{value:.1%}"
    if unit == "votes":
        return "no number" if math.isinf(value) else f"{value:,.0f}"
    return f"{value:.2f}"
