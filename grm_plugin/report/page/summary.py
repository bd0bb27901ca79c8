"""What the page says of all verdicts together, counted while they pass by."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

from grm_plugin.hosts.counting import Tally
from grm_plugin.report.page.rows import Row
from grm_plugin.report.training import Step, Steps
from grm_plugin.types import Verdict

MOST_SUBSETS = 200
"""Subsets that are listed; those of further names are counted under ``OTHER``."""
OTHER = "(further subsets)"
_CELLS = 64


@dataclass
class Summary:
    """Counts over verdicts; add them one by one.

    A reward takes eight bytes and a step of a training run 5 kB: 50 MB for ten thousand steps.
    ``outcomes`` goes by subset, where groups of none have an empty name; ``rewards`` and
    ``spreads`` are all that are known, rounded as the table has them.
    """

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    rewards: array[float] = field(default_factory=lambda: array("d"))
    spreads: array[float] = field(default_factory=lambda: array("d"))
    _parts: dict[str, Tally] = field(default_factory=dict)
    _steps: dict[tuple[str, int], Step] = field(default_factory=dict)
    _cells: dict[tuple[str, str, int | None], Step] = field(default_factory=dict)

    def add(self, verdict: Verdict, row: Row) -> None:
        """Count one verdict, whose line in the table is ``row``."""
        subset = self._listed(row.subset)
        self._cell(subset, row).add(verdict)
        self.rewards.extend(one for one in row.rewards or () if one is not None)
        if row.spread is not None:
            self.spreads.append(row.spread)
        if row.outcome:
            self.outcomes.setdefault(subset, Counter())[row.outcome] += 1

    @property
    def other(self) -> str:
        """The name of all subsets that are not listed; no row has it."""
        return OTHER

    @property
    def known(self) -> Counter[str]:
        """Groups by outcome, of those whose truth is known."""
        return sum(self.outcomes.values(), Counter())

    @property
    def tally(self) -> Tally:
        """Of all verdicts."""
        self._sum_cells()
        return sum(self._parts.values(), Tally())

    @property
    def subsets(self) -> dict[str, Tally]:
        """By name, in the order they came in."""
        self._sum_cells()
        return {name: tally for name, tally in self._parts.items() if name}

    @property
    def steps(self) -> Steps:
        """By phase and step."""
        self._sum_cells()
        return self._steps

    def _listed(self, name: str) -> str:
        """The subset under which ``name`` is counted."""
        known = not name or name in self._parts or len(self._parts) < MOST_SUBSETS
        return name if known else OTHER

    def _cell(self, subset: str, row: Row) -> Step:
        """What counts all of one subset and step; once for both."""
        cell = subset, row.phase, row.step
        if cell not in self._cells:
            if len(self._cells) == _CELLS:
                self._sum_cells()
            self._parts.setdefault(subset, Tally())
            self._cells[cell] = Step()
        return self._cells[cell]

    def _sum_cells(self) -> None:
        for (subset, phase, step), counted in self._cells.items():
            self._parts[subset] += counted.tally
            if step is not None:
                self._steps[phase, step] = self._steps.get((phase, step), Step()) + counted
        self._cells.clear()
