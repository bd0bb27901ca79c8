"""One pass over verdicts: which criteria their judgments list, and what goes with each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grm_plugin.evaluation.blocks import Clusters, cluster_of
from grm_plugin.evaluation.health.known import known_truth
from grm_plugin.report.criteria.errors import wrong
from grm_plugin.report.criteria.examples import Examples, ends_of
from grm_plugin.report.criteria.figures import Recorded, told
from grm_plugin.report.criteria.parts import Parts, Steps, Values
from grm_plugin.report.criteria.spelling import Stems
from grm_plugin.report.criteria.sums import BLOCKS, WHOLE, Sums
from grm_plugin.report.criteria.uses import Judged, Listing, users, weight_shares
from grm_plugin.report.criteria.vocabulary import Vocabulary, stems_of
from grm_plugin.types import Judgment, Verdict

_LEARNT_FROM = 500
"""Verdicts that are read before the first is counted, to tell criteria from words of a task."""


class Criteria:
    """Verdicts counted by the criteria of their judgments; add them one by one.

    Args:
        by: a column of the metadata whose values are told beside each other; None: the step of a
            training run, where groups have one.
    """

    def __init__(self, by: str | None = None) -> None:
        self._parts: Parts = Steps() if by in (None, Steps.column) else Values(by)
        self._vocabulary, self._clusters = Vocabulary(), Clusters(BLOCKS)
        self._all, self._sums, self._examples = Sums(), dict[int, Sums](), dict[int, Examples]()
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
        found = [
            Recorded(one, self._sums[number], self._examples[number])
            for number, one in self._vocabulary.criteria.items()
        ]
        return {
            "verdicts": self._verdicts,
            "judgments_without_criteria": self._silent,
            "criteria_beyond_the_most": self._unnamed,
            **told(self._all, found, self._parts),
        }

    def _count_waiting(self) -> None:
        waiting, self._waiting = self._waiting or (), None
        for each in waiting:
            self._count(*each)

    def _count(self, verdict: Verdict, prompt: Stems) -> None:
        self._make_room()
        truth = known_truth(verdict.group)
        listings = [
            Listing(one, wrong(one, truth) if truth else None, self._shares(one, prompt))
            for one in verdict.judgments
            if one.principles
        ]
        block, n = self._clusters.number(cluster_of(verdict.group)), len(verdict.group.responses)
        parts = {tuple(range(n)): [WHOLE]}
        for part, responses in self._parts.of(verdict.group.metadata, n):
            parts.setdefault(tuple(responses), []).append(1 + part)
        self._fold()
        using = users(listings)
        self._vocabulary.listed(using)
        for some, numbers in parts.items():
            judged = Judged(verdict, listings, some)
            self._all.add(judged.use_of_all(), numbers, block)
            for number, places in using.items():
                self._sums[number].add(judged.use(number, places), numbers, block)
        self._keep_examples(verdict, listings, using)

    def _shares(self, judgment: Judgment, prompt: Stems) -> dict[int, float | None]:
        """The criteria of a judgment by number; those that are too many are counted only."""
        weights = weight_shares(judgment.principles)
        shares: dict[int, float | None] = {}
        for principle, weight in zip(judgment.principles, weights, strict=True):
            criterion = self._vocabulary.find(principle.text, prompt)
            if criterion is None:
                self._unnamed += 1
                continue
            if criterion.number not in self._sums:
                self._sums[criterion.number] = Sums()
                self._examples[criterion.number] = Examples()
            known = shares.get(criterion.number)
            shares[criterion.number] = weight if known is None or weight is None else known + weight
        return shares

    def _make_room(self) -> None:
        for number in self._vocabulary.make_room():
            self._unnamed += round(self._sums.pop(number).total("used"))
            del self._examples[number]

    def _fold(self) -> None:
        while isinstance(self._parts, Steps) and self._folds < self._parts.folds:
            self._folds += 1
            for sums in (self._all, *self._sums.values()):
                sums.fold()

    def _keep_examples(
        self, verdict: Verdict, listings: Sequence[Listing], using: Mapping[int, Sequence[int]]
    ) -> None:
        ends = ends_of(verdict)
        for number, places in using.items():
            stems, examples = self._vocabulary.criteria[number].stems, self._examples[number]
            examples.add(verdict, ends, listings[places[0]].judgment, stems)
            for place in places:
                if listings[place].wrong == 1.0:
                    examples.add_wrong(verdict, listings[place].judgment, stems)


def criteria_of(verdicts: Iterable[Verdict], by: str | None = None) -> dict[str, Any]:
    """Which criteria judgments list, how wrong they are by each, and what rewards go with it.

    Args:
        verdicts: of one judge; read once.
        by: as in :class:`Criteria`.

    Returns:
        JSON values: ``criteria``, the most listed first, each with figures that have a 95 %
        interval (``used``, ``weight``, ``wrong``, ``wrong_apart``, ``reward``, ``reward_apart``,
        ``score_apart``, ``change``), its ``spellings``, ``parts`` and ``examples``; and the same
        figures of ``all``; ``criteria_beyond_the_most``: how many listings of rare criteria are
        not counted because there were too many of these.
    """
    criteria = Criteria(by)
    for verdict in verdicts:
        criteria.add(verdict)
    return criteria.told()
