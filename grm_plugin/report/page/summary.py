"""What the page says of all verdicts together, counted while they pass by."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

from grm_plugin.hosts.counting import Tally
from grm_plugin.report.page.rows import Row
from grm_plugin.report.training import Step
from grm_plugin.types import Verdict

MOST_SUBSETS = 200
"""Subsets that are listed; those of further names are counted under ``OTHER``."""
OTHER = "(further subsets)"


@dataclass
class Summary:
    """Counts over verdicts; add them one by one. A reward takes eight bytes, a step some hundred.

    ``parts`` goes by subset, where groups of none have an empty name, ``steps`` by phase and step,
    ``outcomes`` by subset; ``rewards`` and ``spreads`` are all that are known, rounded as the table
    has them.
    """

    parts: dict[str, Tally] = field(default_factory=dict)
    steps: dict[tuple[str, int], Step] = field(default_factory=dict)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    rewards: array[float] = field(default_factory=lambda: array("d"))
    spreads: array[float] = field(default_factory=lambda: array("d"))

    def add(self, verdict: Verdict, row: Row) -> None:
        """Count one verdict, whose line in the table is ``row``."""
        self.parts.setdefault(self._listed(row.subset), Tally()).add(verdict)
        self.rewards.extend(one for one in row.rewards or () if one is not None)
        if row.spread is not None:
            self.spreads.append(row.spread)
        if row.step is not None:
            self.steps.setdefault((row.phase, row.step), Step()).add(verdict)
        if row.outcome:
            self.outcomes.setdefault(self._listed(row.subset), Counter())[row.outcome] += 1

    @property
    def known(self) -> Counter[str]:
        """Groups by outcome, of those whose truth is known."""
        return sum(self.outcomes.values(), Counter())

    @property
    def tally(self) -> Tally:
        """Of all verdicts."""
        return sum(self.parts.values(), Tally())

    @property
    def subsets(self) -> dict[str, Tally]:
        """By name, in the order they came in."""
        return {name: tally for name, tally in self.parts.items() if name}

    def _listed(self, name: str) -> str:
        known = not name or name in self.parts or len(self.parts) < MOST_SUBSETS
        return name if known else OTHER
