"""The stopper ``advantage``: samples go where a trainer that divides by the spread needs them.

GRPO divides the rewards of a group, less their mean, by their standard deviation. The noise of the
judge is divided with them, so that it weighs most where responses are close. With noise of variance
v a sample, and variance s between the responses, m samples leave v / (m s) of it in the advantages.
A group ends where the next samples would take off less than they are worth; with one price for all,
samples are spread over the groups of a batch as well as a budget for the batch would spread them,
and no group's reward depends on the others.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from grm_plugin.engine import Limits
from grm_plugin.options import read_options
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.samplewise import Drawn, RoundOptions, Row, next_round
from grm_plugin.pipeline.settling import Rule
from grm_plugin.types import Judgment

BEFORE = 2
"""Samples that the noise that is assumed before there are any is worth."""
_NOISE = 0.22  # that noise: a standard deviation, as a share of the scale's width
_LEAST_SPREAD = 0.025  # between responses, likewise: nearer ones count as this far apart


class AdvantageOptions(RoundOptions):
    """When more samples are not worth their price.

    Args:
        worth: noise, as a share of the variance between the responses, of which the next two
            samples have to take off more; a larger one draws fewer samples.
    """

    worth: float = Field(0.02, gt=0)


class Advantage:
    """Draws rounds of samples until two more would hardly make normalised advantages more precise.

    For trainers that divide rewards by their standard deviation within the group; where they are
    not divided, as many samples for every group are better.
    """

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self._options = read_options(AdvantageOptions, "stopper 'advantage'", options)

    def follow(self, rule: Rule) -> None:
        """Go by the rewards that ``rule`` makes."""
        self._rule = rule

    def more(self, case: Case, judgments: Sequence[Judgment], drawn: int) -> int:
        now = Drawn(case, judgments, drawn, self._rule)
        return next_round(now, self._options, self._is_precise)

    def _is_precise(self, now: Drawn) -> bool:
        rows = [row for row in now.rows if len(row) >= len(now.members)]
        return bool(rows) and worth_of_two(rows, now.members, now.width) <= self._options.worth


def worth_of_two(rows: Sequence[Row], members: Sequence[int], width: float) -> float:
    """How much noise two more samples take off, as a share of the variance between responses.

    Args:
        rows: of the valid samples; each has all members.
        members: the responses, by index; two or more.
        width: from the lowest reward that a sample can give to the highest.

    >>> rows = [{0: 0.8, 1: 0.2}, {0: 0.7, 1: 0.2}, {0: 0.9, 1: 0.3}, {0: 0.6, 1: 0.2}]
    >>> round(worth_of_two(rows, (0, 1), width=1), 3)
    0.025
    """
    m, columns = len(rows), [_centred(rows, n, members) for n in members]
    spread = statistics.fmean(statistics.fmean(column) ** 2 for column in columns)
    deviations = statistics.fmean(statistics.pvariance(column) * m for column in columns)
    noise = (deviations + prior(width)) / (m - 1 + BEFORE)
    return noise * (1 / m - 1 / (m + 2)) / max(spread, least_spread(width))


def prior(width: float) -> float:
    """What is assumed of the noise, as a sum of squares; ``width`` is that of the scale."""
    return BEFORE * (_NOISE * width) ** 2


def least_spread(width: float) -> float:
    """The least variance that responses count as having; ``width`` is that of the scale."""
    return (_LEAST_SPREAD * width) ** 2


def _centred(rows: Sequence[Row], n: int, members: Sequence[int]) -> list[float]:
    return [row[n] - statistics.fmean(row[each] for each in members) for row in rows]
