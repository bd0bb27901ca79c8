"""What one record of verdicts comes to at several k: rewards of the same groups, set for set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.resettling import Ballot, Rewards, samples_of
from grm_plugin.types import Cost, Sample, Verdict

_MOST = 60_000  # rewards of a group that are kept for one k, over all groups


@dataclass(frozen=True)
class Votes:
    """G judged groups, and what k of their samples come to.

    Args:
        items: of the groups, in the order of the record, with all of the samples.
        rewards_S_G: for every k, those of S sets of samples; of a set the first is that of the
            first k samples, which is what a judge with this k would have drawn.
        costs: for every k what it cost on average over the sets, of all groups together.
        samples: the most that a group has; K.
    """

    items: tuple[Item, ...]
    rewards_S_G: Mapping[int, Sequence[Sequence[Rewards]]]
    costs: Mapping[int, Cost]
    samples: int

    @property
    def ks(self) -> list[int]:
        """How many samples vote, ascending."""
        return sorted(self.rewards_S_G)

    def at(self, k: int) -> list[list[Item]]:
        """The items of every set of ``k`` samples: S lists of G."""
        return [
            [
                replace(item, rewards=one, scores_by_order=())
                for item, one in zip(self.items, rewards_G, strict=True)
            ]
            for rewards_G in self.rewards_S_G[k]
        ]


def votes_of(
    verdicts: Iterable[Verdict], ballot: Ballot, ks: Sequence[int], *, sets: int = 8, seed: int = 0
) -> Votes:
    """The votes of a record, which is read once and not kept.

    Args:
        verdicts: labelled ones.
        ballot: how they vote.
        ks: how many samples vote.
        sets: of samples of one k, at most; fewer where there are very many groups.
        seed: decides the sets.

    Raises:
        InputError: a group's metadata holds no truth.
    """
    items: list[Item] = []
    found: dict[int, list[list[Rewards]]] = {k: [] for k in ks}
    costs, most = dict.fromkeys(ks, Cost()), 0
    for verdict in verdicts:
        drawn = samples_of(verdict)
        most = max(most, drawn)
        (whole,) = ballot.rewards(verdict, max(drawn, 1), 1)
        items.append(Item.of(verdict.group, whole, verdict.judgments))
        each = cost_of_samples(verdict)
        for k in ks:
            found[k].append(ballot.rewards(verdict, k, sets, seed))
            costs[k] += _share(each, min(k, drawn) / drawn if drawn else 1.0)
    few = max(1, min(sets, _MOST // max(len(items), 1)))
    return Votes(tuple(items), {k: _by_set(found[k], few) for k in ks}, costs, most)


def _by_set(rewards_G_S: Sequence[Sequence[Rewards]], most: int) -> list[list[Rewards]]:
    """A group with fewer sets than others begins again."""
    sets = min(most, max(map(len, rewards_G_S), default=1))
    return [[found[number % len(found)] for found in rewards_G_S] for number in range(sets)]


def cost_of_samples(verdict: Verdict) -> Cost:
    """What the samples on record cost, without those of verdicts that it replaced.

    Seconds are of requests, however many ran at a time.
    """
    samples: list[Sample] = [*verdict.judgments, *verdict.failures]
    return Cost.of(samples, sum(one.seconds for one in samples))


def _share(cost: Cost, share: float) -> Cost:
    return Cost(
        round(cost.prompt_tokens * share),
        round(cost.output_tokens * share),
        cost.seconds * share,
        None if cost.money is None else cost.money * share,
        round(cost.unpriced * share),
    )
