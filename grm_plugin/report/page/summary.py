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

    ``steps`` goes by phase and step, ``outcomes`` by subset; ``rewards`` and ``spreads`` are all
    that are known, rounded as the table has them.
    """

    tally: Tally = field(default_factory=Tally)
    subsets: dict[str, Tally] = field(default_factory=dict)
    steps: dict[tuple[str, int], Step] = field(default_factory=dict)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    rewards: array[float] = field(default_factory=lambda: array("d"))
    spreads: array[float] = field(default_factory=lambda: array("d"))

    def add(self, verdict: Verdict, row: Row) -> None:
        """Count one verdict, whose line in the table is ``row``."""
        self.tally.add(verdict)
        self.rewards.extend(one for one in row.rewards or () if one is not None)
        if row.spread is not None:
            self.spreads.append(row.spread)
        if row.step is not None:
            self.steps.setdefault((row.phase, row.step), Step()).add(verdict)
        if row.subset:
            self._subset(row.subset).add(verdict)
        if row.outcome:
            self.outcomes.setdefault(self._listed(row.subset), Counter())[row.outcome] += 1

    @property
    def known(self) -> Counter[str]:
        """Groups by outcome, of those whose truth is known."""
        return sum(self.outcomes.values(), Counter())

    def _subset(self, name: str) -> Tally:
        return self.subsets.setdefault(self._listed(name), Tally())

    def _listed(self, name: str) -> str:
        known = name in self.subsets or len(self.subsets) < MOST_SUBSETS
        return name if known else OTHER
