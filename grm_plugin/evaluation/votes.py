"""What one record of verdicts comes to at several k: rewards of the same groups, set for set.

Needs numpy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grm_plugin.evaluation.costs import cost_of_samples, samples_of
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.resettling import Ballot
from grm_plugin.evaluation.selecting import Items
from grm_plugin.types import Cost, Verdict

_MOST = 60_000  # items of one k, over all sets


@dataclass(frozen=True)
class Votes:
    """G judged groups, and what k of their samples come to.

    Args:
        items: of the groups, in the order of the record, with all of the samples.
        sets: for every k the items of S sets of its samples, S lists of G; the first is that of
            the first k samples; :func:`grm_plugin.evaluation.accuracy.voted_at` says how far they
            are what a judge with this k would have drawn.
        costs: for every k what it cost, of all groups together: that of the first k samples.
    """

    items: Items
    sets: Mapping[int, Sequence[Sequence[Item]]]
    costs: Mapping[int, Cost]

    @property
    def ks(self) -> list[int]:
        """How many samples vote, ascending."""
        return sorted(self.sets)


def votes_of(
    verdicts: Iterable[Verdict], ballot: Ballot, ks: Sequence[int], *, sets: int = 8, seed: int = 0
) -> Votes:
    """The votes of a record, which is read once and not kept.

    Args:
        verdicts: labelled ones.
        ballot: how they vote.
        ks: how many samples vote.
        sets: of samples of one k, at most.
        seed: decides the sets.

    Raises:
        InputError: a group's metadata holds no truth.
    """
    items: list[Item] = []
    found: dict[int, list[list[Item]]] = {k: [] for k in ks}
    costs = dict.fromkeys(ks, Cost())
    for verdict in verdicts:
        drawn = samples_of(verdict)
        (whole,) = ballot.votes(verdict, max(drawn, 1), 1)
        items.append(item := Item.of(verdict.group, *whole))
        for k in ks:
            votes = ballot.votes(verdict, k, sets, seed)
            found[k].append([item.voted(verdict.group, *vote) for vote in votes])
            costs[k] += cost_of_samples(verdict, k)
    return Votes(Items(items), {k: _by_set(found[k]) for k in ks}, costs)


def _by_set(items_G_S: Sequence[Sequence[Item]]) -> list[Items]:
    """A group with fewer sets than others begins again."""
    sets = max(map(len, items_G_S), default=1)
    return [Items(found[number % len(found)] for found in items_G_S) for number in range(sets)]


def few_sets(groups: int, most: int = 8) -> int:
    """How many sets of samples tell enough: of many groups each tells less that is new.

    >>> few_sets(100), few_sets(20_000)
    (8, 3)
    """
    return max(1, min(most, _MOST // max(groups, 1)))
