"""The stopper ``ranking``: no more samples once they would hardly change which response leads."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field, field_validator

from grm_plugin.engine import Limits
from grm_plugin.options import Options, read_options
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.overtaking import overtaken
from grm_plugin.pipeline.settling import Rule, settle
from grm_plugin.size import Size
from grm_plugin.types import Judgment

Row = Mapping[int, float]
"""What one sample alone comes to: rewards by the index of the response."""


class RankingOptions(Options):
    """When the lead counts as settled.

    Args:
        error: most chance, 0..0.5, that another response leads once all k samples are drawn;
            `grm train stopper` fits it to samples of your own.
        min_samples: fewest samples to draw.
        round: samples to draw before looking again; even, so that an order comes with its reverse.
    """

    error: float = Field(0.02, gt=0, lt=0.5)
    min_samples: int = Field(4, ge=2)
    round: int = Field(2, ge=2)

    @field_validator("round")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"expected an even number, got {value}")
        return value


class Ranking:
    """Draws rounds of samples until the leader will hardly be overtaken by the k-th.

    It goes by the mean over samples of what each of them alone comes to, all of them with equal
    weight. That is the reward itself with the votes ``mean``, ``sum``, ``majority`` and ``borda``;
    with others, and where a selector chooses who votes, it is near to it.

    A group of one response has no lead and gets all k samples. So does one whose top is a tie:
    either response is as likely to lead in the end as not to.
    """

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(RankingOptions, "stopper 'ranking'", options)

    def follow(self, rule: Rule) -> None:
        """Go by the rewards that ``rule`` makes."""
        top, bottom = rule.voter([rule.scale[::-1]], rule.scale)
        self._rule, self._width = rule, top - bottom

    def more(self, case: Case, judgments: Sequence[Judgment], drawn: int) -> int:
        left = case.size.k - drawn
        members = sorted({n for run in case.runs for n in run})
        if len(members) < 2:
            return left
        least = self.options.min_samples - drawn
        if least <= 0 and self._is_settled(case, judgments, members, drawn):
            return 0
        return min(left, max(self.options.round, least + least % 2))

    def _is_settled(
        self, case: Case, judgments: Sequence[Judgment], members: Sequence[int], drawn: int
    ) -> bool:
        if not _gives_rewards(case, judgments, self._rule):
            return False
        rows = [*rows_of(case, judgments, self._rule).values()]
        risk = lead_risk(rows, members, drawn, case.size.k, self._width)
        return risk <= self.options.error


def rows_of(case: Case, judgments: Sequence[Judgment], rule: Rule) -> dict[int, Row]:
    """What each sample alone comes to, by its number; without those that come to nothing."""
    alone = replace(case, size=Size(k=1), min_valid=1)
    found = {}
    for sample in sorted({one.sample for one in judgments}):
        settled = settle([one for one in judgments if one.sample == sample], alone, rule)
        rewards = enumerate(settled.rewards or ())
        found[sample] = {n: reward for n, reward in rewards if reward is not None}
    return {sample: row for sample, row in found.items() if row}


def lead_risk(
    rows: Sequence[Row], members: Sequence[int], drawn: int, k: int, width: float
) -> float:
    """The chance, at most, that another response than now leads once k samples are drawn.

    The chances of all rivals are added up. A rival that no sample compares with the leader counts
    as a half.

    Args:
        rows: of the valid samples.
        members: the responses, by index; two or more.
        drawn: samples drawn, failed ones included, 1..k - 1.
        k: samples that may be drawn.
        width: from the lowest reward that a sample can give to the highest.

    >>> rows = [{0: 0.8, 1: 0.2}, {0: 0.7, 1: 0.2}, {0: 0.9, 1: 0.3}, {0: 0.6, 1: 0.2}]
    >>> round(lead_risk(rows, (0, 1), drawn=4, k=32, width=1), 3)
    0.002
    """
    means = {n: statistics.fmean(found) for n in members if (found := _column(rows, n))}
    if not means:
        return 1.0
    leader = max(means, key=lambda n: means[n])
    return sum(
        _rival_risk(_differences(rows, leader, n), drawn, k, width) for n in members if n != leader
    )


def _rival_risk(differences: Sequence[float], drawn: int, k: int, width: float) -> float:
    if not differences:
        return 0.5
    squares = sum(each * each for each in differences)
    return overtaken(sum(differences), squares, len(differences), drawn, k, width)


def _differences(rows: Sequence[Row], leader: int, rival: int) -> list[float]:
    return [row[leader] - row[rival] for row in rows if leader in row and rival in row]


def _column(rows: Sequence[Row], n: int) -> list[float]:
    return [row[n] for row in rows if n in row]


def _gives_rewards(case: Case, judgments: Sequence[Judgment], rule: Rule) -> bool:
    """Whether every response would have a reward if the drawing ended here."""
    settled = settle(judgments, case, rule)
    return settled.rewards is not None and None not in settled.rewards
