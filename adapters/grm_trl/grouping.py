"""From rows to whole groups and back; pure, so that every rank comes to the same groups."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.truth import RATINGS
from grm_plugin.types import Group
from grm_trl.rows import Row


def whole_groups(keys: Sequence[Hashable], size: int | None = None) -> list[tuple[int, ...]]:
    """Indices of the rows of each group, in first-seen order.

    Rows with equal keys belong together, wherever they stand; more than ``size`` of them are
    several groups of the same prompt, one after the other.

    >>> whole_groups("abab")
    [(0, 2), (1, 3)]
    >>> whole_groups("aaaabb", size=2)
    [(0, 1), (2, 3), (4, 5)]
    """
    found: dict[Hashable, list[list[int]]] = {}
    for place, key in enumerate(keys):
        runs = found.setdefault(key, [[]])
        if len(runs[-1]) == size:
            runs.append([])
        runs[-1].append(place)
    return sorted(tuple(run) for runs in found.values() for run in runs)


@dataclass(frozen=True)
class Batch:
    """The groups of one reward call over all ranks that take part in it.

    Args:
        groups: what to judge, in first-seen order.
        members: for each group the rows of its responses, as indices over all ranks.
        starts: the first row of each rank, and the number of rows.
    """

    groups: tuple[Group, ...]
    members: tuple[tuple[int, ...], ...]
    starts: tuple[int, ...]

    @classmethod
    def of(
        cls,
        rows_by_rank: Sequence[Sequence[Row]],
        *,
        size: int | None = None,
        metadata: Mapping[str, Any],
    ) -> Batch:
        """Whole groups of everybody's rows; ranks are put one after the other, as TRL does."""
        rows = [row for part in rows_by_rank for row in part]
        starts = [0]
        for part in rows_by_rank:
            starts.append(starts[-1] + len(part))
        members = whole_groups([row.key for row in rows], size)
        groups = [_group([rows[place] for place in run], metadata) for run in members]
        return cls(tuple(groups), tuple(members), tuple(starts))

    def share(self, rank: int) -> tuple[Group, ...]:
        """The groups that ``rank`` judges; the shares are even and in order."""
        count, ranks = len(self.groups), len(self.starts) - 1
        return self.groups[rank * count // ranks : (rank + 1) * count // ranks]

    def places(self, rank: int) -> list[tuple[int, int]]:
        """For each row of ``rank`` its group and its place in there."""
        where = {row: (g, n) for g, run in enumerate(self.members) for n, row in enumerate(run)}
        return [where[row] for row in range(self.starts[rank], self.starts[rank + 1])]

    def refuse_split(self) -> None:
        """Say which group is not whole on one rank.

        Raises:
            InputError: names the prompt, the ranks and what to change.
        """
        for group, run in zip(self.groups, self.members, strict=True):
            ranks = sorted({self._rank_of(row) for row in run})
            if len(ranks) > 1:
                raise InputError(
                    f"groups: check: the {len(run)} responses to "
                    f"{quoted(group.conversation[-1].content)} are split over the ranks "
                    f"{', '.join(map(str, ranks))}; make per_device_train_batch_size * "
                    "steps_per_generation a multiple of num_generations, or use groups: gather"
                )

    def _rank_of(self, row: int) -> int:
        return sum(start <= row for start in self.starts[1:])


def _group(rows: Sequence[Row], metadata: Mapping[str, Any]) -> Group:
    first = rows[0]
    evidence = tuple(row.evidence or "" for row in rows)
    return Group(
        conversation=first.conversation,
        responses=tuple(row.response for row in rows),
        id=first.id,
        reference=first.reference,
        principles=first.principles,
        evidence=evidence if any(evidence) else (),
        metadata={**first.metadata, **_ratings(rows), **metadata},
    )


def _ratings(rows: Sequence[Row]) -> Mapping[str, Any]:
    """What is known of the responses, where it is of all of them."""
    ratings = [row.rating for row in rows]
    return {} if None in ratings else {RATINGS: ratings}
