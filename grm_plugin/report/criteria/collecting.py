"""One pass over verdicts: which criteria their judgments list, and what goes with each."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.evaluation.blocks import Clusters, cluster_of
from grm_plugin.evaluation.health.known import known_truth
from grm_plugin.report.criteria.errors import wrong
from grm_plugin.report.criteria.examples import Examples
from grm_plugin.report.criteria.figures import Recorded, told
from grm_plugin.report.criteria.parts import Parts, Steps, Values
from grm_plugin.report.criteria.spelling import Stems
from grm_plugin.report.criteria.sums import BLOCKS, WHOLE, Sums, Use
from grm_plugin.report.criteria.vocabulary import Vocabulary, stems_of
from grm_plugin.types import Judgment, Principle, Verdict

_LEARNT_FROM = 500
"""Verdicts that are read before the first is counted, to tell criteria from words of a task."""


@dataclass(frozen=True, slots=True)
class _Listing:
    """A judgment with the criteria it lists, each with its share of the weights if all have one."""

    judgment: Judgment
    wrong: float | None
    shares: Mapping[int, float | None]


class Criteria:
    """Verdicts counted by the criteria of their judgments; add them one by one.

    Args:
        by: a column of the metadata whose values are told beside each other; None: the step of a
            training run, where groups have one.
    """

    def __init__(self, by: str | None = None) -> None:
        self._parts: Parts = Steps() if by in (None, Steps.column) else Values(by)
        self._vocabulary, self._clusters = Vocabulary(), Clusters(BLOCKS)
        self._all, self._sums, self._examples = Sums(), list[Sums](), list[Examples]()
        self._waiting: list[tuple[Verdict, Stems]] | None = []
        self._verdicts = self._silent = self._unnamed = self._folds = 0

    def add(self, verdict: Verdict) -> None:
        """Count one verdict, scored or not."""
        self._verdicts += 1
        listing = [one for one in verdict.judgments if one.principles]
        self._silent += len(verdict.judgments) - len(listing)
        if not listing:
            return
        prompt = stems_of("\n".join(turn.content for turn in verdict.group.conversation))
        self._vocabulary.learn((one.text for each in listing for one in each.principles), prompt)
        if self._waiting is None:
            self._count(verdict, prompt)
            return
        self._waiting.append((verdict, prompt))
        if len(self._waiting) >= _LEARNT_FROM:
            self._count_waiting()

    def told(self) -> dict[str, Any]:
        """All figures and examples, as JSON values; see :func:`criteria_of`."""
        self._count_waiting()
        found = zip(self._vocabulary.criteria, self._sums, self._examples, strict=True)
        return {
            "verdicts": self._verdicts,
            "judgments_without_criteria": self._silent,
            "criteria_beyond_the_most": self._unnamed,
            **told(self._all, [Recorded(*each) for each in found], self._parts),
        }

    def _count_waiting(self) -> None:
        waiting, self._waiting = self._waiting or (), None
        for each in waiting:
            self._count(*each)

    def _count(self, verdict: Verdict, prompt: Stems) -> None:
        truth = known_truth(verdict.group)
        listings = [
            _Listing(one, wrong(one, truth) if truth else None, self._shares(one, prompt))
            for one in verdict.judgments
            if one.principles
        ]
        block = self._clusters.number(cluster_of(verdict.group))
        n = len(verdict.group.responses)
        found = list(self._parts.of(verdict.group.metadata, n))
        self._fold()
        for part, responses in ((WHOLE, range(n)), *((1 + part, some) for part, some in found)):
            self._count_part(verdict, listings, responses, part, block)
        self._keep_examples(verdict, listings)

    def _shares(self, judgment: Judgment, prompt: Stems) -> dict[int, float | None]:
        """The criteria of a judgment by number; those that are too many are counted only."""
        weights = _weight_shares(judgment.principles)
        shares: dict[int, float | None] = {}
        for principle, weight in zip(judgment.principles, weights, strict=True):
            criterion = self._vocabulary.find(principle.text, prompt)
            if criterion is None:
                self._unnamed += 1
                continue
            if criterion.number == len(self._sums):
                self._sums.append(Sums())
                self._examples.append(Examples())
            known = shares.get(criterion.number)
            shares[criterion.number] = weight if known is None or weight is None else known + weight
        return shares

    def _fold(self) -> None:
        while isinstance(self._parts, Steps) and self._folds < self._parts.folds:
            self._folds += 1
            for sums in (self._all, *self._sums):
                sums.fold()

    def _count_part(
        self,
        verdict: Verdict,
        listings: Sequence[_Listing],
        responses: Sequence[int],
        part: int,
        block: int,
    ) -> None:
        reward = _mean(verdict.rewards or (), responses)
        scores = [_mean(one.judgment.scores, responses) for one in listings]
        self._all.add(_use_of_all(listings, reward), part, block)
        for number in {number for one in listings for number in one.shares}:
            use = _use(number, listings, scores, reward)
            self._sums[number].add(use, part, block)

    def _keep_examples(self, verdict: Verdict, listings: Sequence[_Listing]) -> None:
        for number in {number for one in listings for number in one.shares}:
            using = [one for one in listings if number in one.shares]
            stems, examples = self._vocabulary.criteria[number].stems, self._examples[number]
            examples.add(verdict, [one.judgment for one in using], stems)
            for one in using:
                if one.wrong == 1.0:
                    examples.add_wrong(verdict, one.judgment, stems)


def criteria_of(verdicts: Iterable[Verdict], by: str | None = None) -> dict[str, Any]:
    """Which criteria judgments list, how wrong they are by each, and what rewards go with it.

    Args:
        verdicts: of one judge; read once.
        by: as in :class:`Criteria`.

    Returns:
        JSON values: ``criteria``, the most listed first, each with figures that have a 95 %
        interval (``used``, ``weight``, ``wrong``, ``wrong_apart``, ``reward``, ``reward_apart``,
        ``score_apart``, ``change``), its ``spellings``, ``parts`` and ``examples``; and the same
        figures of ``all``.
    """
    criteria = Criteria(by)
    for verdict in verdicts:
        criteria.add(verdict)
    return criteria.told()


def _weight_shares(principles: Sequence[Principle]) -> list[float | None]:
    """What share of the weights each principle has, 0..1; None where one has no weight."""
    weights = [one.weight for one in principles]
    known = [weight for weight in weights if weight is not None]
    if len(known) < len(weights) or not sum(known) > 0:
        return [None] * len(weights)
    return [weight / sum(known) for weight in known]


def _mean(values_N: Sequence[float | None], responses: Sequence[int]) -> float | None:
    values = [values_N[n] for n in responses] if values_N else []
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _use_of_all(listings: Sequence[_Listing], reward: float | None) -> Use:
    errors = [one.wrong for one in listings if one.wrong is not None]
    return Use(
        used=len(listings),
        checked=len(errors),
        wrong=sum(errors),
        share=0.0 if reward is None else 1.0,
        reward=reward or 0.0,
    )


def _use(
    number: int, listings: Sequence[_Listing], scores: Sequence[float | None], reward: float | None
) -> Use:
    lists = [number in one.shares for one in listings]
    errors = [one.wrong for one in listings]
    weights = [share for one in listings if (share := one.shares.get(number)) is not None]
    checked, wrong_sum = _those(errors, lists)
    share = 0.0 if reward is None else sum(lists) / len(lists)
    return Use(
        1.0,
        sum(lists),
        checked,
        wrong_sum,
        share,
        share * (reward or 0.0),
        len(weights),
        sum(weights),
        *_apart(errors, lists),
        *_apart(scores, lists),
    )


def _those(values: Sequence[float | None], chosen: Sequence[bool]) -> tuple[int, float]:
    """How many of the chosen values are known, and their sum."""
    known = [one for one, is_one in zip(values, chosen, strict=True) if is_one and one is not None]
    return len(known), sum(known)


def _apart(values: Sequence[float | None], lists: Sequence[bool]) -> tuple[float, float]:
    """The weight of a comparison on the same responses, n m / (n + m), and the difference times it.

    As Mantel and Haenszel pool the differences of many tables.
    """
    n, with_it = _those(values, lists)
    m, without = _those(values, [not one for one in lists])
    if not n or not m:
        return 0.0, 0.0
    weight = n * m / (n + m)
    return weight, weight * (with_it / n - without / m)
