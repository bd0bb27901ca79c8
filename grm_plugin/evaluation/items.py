"""A judged group as figures see it: what is known of it, and the rewards that it got."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean
from typing import Any

from grm_plugin.errors import InputError
from grm_plugin.evaluation.outcomes import Outcome, outcome
from grm_plugin.evaluation.truth import RATINGS, Correct, Ratings, Truth, truth_of
from grm_plugin.types import Group, Judgment, Verdict

BENCHMARK, SUBSET, SECTION, SOURCE = "benchmark", "subset", "section", "source"
"""Names in a group's metadata that say what it belongs to."""
TRUTH, PICK, LABEL = "truth", "pick", "label"
"""The key of :meth:`Item.get` for the kind of what is known of a group, and two of the kinds."""
PAIR = 2


@dataclass(frozen=True)
class Item:
    """What one group of a benchmark came to.

    Args:
        fingerprint: of the group, by which two runs are paired.
        label: how messages call it.
        truth: what is known of it.
        rewards: N, 0..1; None for a response without one, or for the whole group.
        metadata: of the group: its ``benchmark``, ``subset``, ``section``, ``source`` and more.
        scores_by_order: of a pair, the mean scores (points) of its two responses in each order
            that the judge saw them in, of judgments that voted; empty where that is not known, and
            of other groups.
    """

    fingerprint: str
    label: str
    truth: Truth
    rewards: tuple[float | None, ...] | None
    metadata: Mapping[str, Any]
    scores_by_order: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of(
        cls,
        group: Group,
        rewards: tuple[float | None, ...] | None,
        judgments: Sequence[Judgment] = (),
    ) -> Item:
        """The item of ``group``, with rewards of whatever settled it, and what they came from.

        Raises:
            InputError: its metadata holds no truth.
        """
        try:
            truth = truth_of(group)
        except InputError as error:
            raise InputError(f"group {group.label}: {error}") from error
        found = cls(group.fingerprint, group.label, truth, None, group.metadata)
        return found.voted(group, rewards, judgments)

    def voted(
        self,
        group: Group,
        rewards: tuple[float | None, ...] | None,
        judgments: Sequence[Judgment],
    ) -> Item:
        """The same, its ``group``, with what other votes came to and what they came from."""
        orders = _by_order(judgments) if len(group.responses) == PAIR else ()
        return replace(self, rewards=rewards, scores_by_order=orders)

    @cached_property
    def outcome(self) -> Outcome | None:
        """Right, wrong, tie or unscored; None of ratings."""
        return outcome(self.rewards, self.truth)

    def get(self, key: str) -> Any:
        """What the metadata has under ``key``; of ``truth``, which kind of it is known.

        Which is ``pick`` where a response is to be picked among others, ``label`` of a single one
        that is right or wrong, ``ratings`` of numbers.
        """
        return self._kind if key == TRUTH else self.metadata.get(key)

    @property
    def _kind(self) -> str:
        if isinstance(self.truth, Ratings):
            return RATINGS
        single = isinstance(self.truth, Correct) and len(self.truth.labels_N) == 1
        return LABEL if single else PICK

    @property
    def source(self) -> object:
        """What items share that are not independent of each other; itself where nothing is."""
        shared = self.metadata.get(SOURCE)
        return self.fingerprint if shared in (None, "") else shared


def items_of(verdicts: Iterable[Verdict]) -> Iterator[Item]:
    """The items of verdicts, with the rewards that they have.

    Raises:
        InputError: a group's metadata holds no truth.
    """
    return (Item.of(one.group, one.rewards, one.judgments) for one in verdicts)


def _by_order(judgments: Sequence[Judgment]) -> tuple[tuple[float, ...], ...]:
    """Mean scores of both responses in each order; judgments of one of them alone say nothing."""
    found: dict[tuple[int, ...], list[Sequence[float | None]]] = {}
    for one in judgments:
        if one.voted and len(one.order) == PAIR and None not in one.scores:
            found.setdefault(one.order, []).append(one.scores)
    return tuple(
        tuple(fmean(column) for column in zip(*scores, strict=True)) for scores in found.values()
    )
