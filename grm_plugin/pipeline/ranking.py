"""The stopper ``ranking``: no more samples once they would hardly change which response leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from grm_plugin.engine import Limits
from grm_plugin.options import read_options
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.overtaking import overtaken
from grm_plugin.pipeline.samplewise import Drawn, RoundOptions, Row, next_round
from grm_plugin.pipeline.settling import Rule
from grm_plugin.types import Judgment

_NONE: Row = {}


class RankingOptions(RoundOptions):
    """When the lead counts as settled.

    Args:
        error: most chance, 0..0.5, that another response leads once all k samples are drawn;
            `grm train stopper` fits it to samples of your own.
    """

    error: float = Field(0.02, gt=0, lt=0.5)


class Ranking:
    """Draws rounds of samples until the leader will hardly be overtaken by the k-th.

    It goes by the mean over samples of what each of them alone comes to, all of them with equal
    weight. That is the reward itself with the votes ``mean``, ``sum``, ``majority`` and ``borda``;
    with others, and where a selector chooses who votes, it is near to it. What a scalar RM's vote
    adds is known from the start.

    A group whose top is a tie gets all k samples: either response is as likely to lead in the end
    as not to.
    """

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self._options = read_options(RankingOptions, "stopper 'ranking'", options)

    def follow(self, rule: Rule) -> None:
        """Go by the rewards that ``rule`` makes."""
        self._rule = rule

    def more(self, case: Case, judgments: Sequence[Judgment], drawn: int) -> int:
        now = Drawn(case, judgments, drawn, self._rule)
        return next_round(now, self._options, self._is_settled)

    def _is_settled(self, now: Drawn) -> bool:
        risk = lead_risk(now.rows, now.members, now.number, now.k, now.width, now.offsets)
        return risk <= self._options.error


def lead_risk(
    rows: Sequence[Row],
    members: Sequence[int],
    drawn: int,
    k: int,
    width: float,
    offsets: Row = _NONE,
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
        offsets: what responses get besides the sum of their rewards, by index.

    >>> rows = [{0: 0.8, 1: 0.2}, {0: 0.7, 1: 0.2}, {0: 0.9, 1: 0.3}, {0: 0.6, 1: 0.2}]
    >>> round(lead_risk(rows, (0, 1), drawn=4, k=32, width=1), 3)
    0.001
    >>> round(lead_risk(rows, (0, 1), drawn=4, k=32, width=1, offsets={1: 1.0}), 4)
    0.0009
    """
    means = {
        n: (sum(found) + offsets.get(n, 0.0)) / len(found)
        for n in members
        if (found := _column(rows, n))
    }
    if not means:
        return 1.0
    leader = max(means, key=lambda n: means[n])
    ahead = {n: offsets.get(leader, 0.0) - offsets.get(n, 0.0) for n in members}
    return sum(
        _rival_risk(_leads(rows, leader, n), ahead[n], drawn, k, width)
        for n in members
        if n != leader
    )


def _rival_risk(leads: Sequence[float], ahead: float, drawn: int, k: int, width: float) -> float:
    if not leads:
        return 0.5
    squares = sum(lead * lead for lead in leads)
    return overtaken(sum(leads), squares, len(leads), drawn, k, width, ahead)


def _leads(rows: Sequence[Row], leader: int, rival: int) -> list[float]:
    return [row[leader] - row[rival] for row in rows if leader in row and rival in row]


def _column(rows: Sequence[Row], n: int) -> list[float]:
    return [row[n] for row in rows if n in row]
