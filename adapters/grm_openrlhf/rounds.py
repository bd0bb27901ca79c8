"""Which groups are under way at the same time, and what those of them with a reward came to.

The host hands an actor a batch of prompts at once and waits for all of them. So a group without
a reward can wait for the others, and get a number that changes nothing about their mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from grm_openrlhf.ledger import Book, Means, RoundId, Share
from grm_plugin.hosts.counting import Tally
from grm_plugin.types import Verdict

Over = asyncio.Future[Any]
Hear = Callable[[Sequence[Share]], object]


class Rounds:
    """The rounds of one rollout actor: training, or evaluation.

    Args:
        book: the run's ledger.
        actor: a name that no other actor of the run has.
        training: which of the two.
        hear: is given what all actors judged, once a round is over for all of them; while a round
            is longer than a step, as rounds that overlap are, after each step.
        groups_per_step: the actor's share of the groups of a step.
    """

    def __init__(
        self,
        book: Book,
        actor: str,
        *,
        training: bool,
        hear: Hear = lambda shares: None,
        groups_per_step: int = 1,
    ) -> None:
        self._book, self._actor, self._training = book, actor, training
        self._hear, self._groups_per_step = hear, groups_per_step
        self._count = 0
        self._now: _Round | None = None
        self._places: WeakKeyDictionary[Over, Place] = WeakKeyDictionary()

    def enter(self, group: Over) -> Place:
        """The place of a group that is about to be rolled out, the same for all its responses.

        Args:
            group: done when the group is over, one way or another.
        """
        place = self._places.get(group)
        if place is None:
            if self._now is None or self._now.is_over:
                self._now = self._begin()
            place = self._places[group] = Place(self._now)
            group.add_done_callback(place.leave)
        return place

    def _begin(self) -> _Round:
        self._count += 1
        round_id = RoundId(self._actor, self._count, self._training)
        return _Round(self._book, round_id, self._hear, self._groups_per_step)


class Place:
    """One group in its round."""

    def __init__(self, round_: _Round) -> None:
        self._round = round_
        self._left = False
        round_.open += 1

    def judged(self, verdict: Verdict, teaches: Verdict | None = None) -> None:
        """Say what the group came to.

        Args:
            verdict: with the rewards that the host gets.
            teaches: what others learn of it; None: nothing.
        """
        self._round.judged(verdict, teaches)
        self.leave()

    async def means(self) -> Means | None:
        """What the scored groups came to, once all that are under way have been judged."""
        return await asyncio.shield(self._round.means)

    def leave(self, _: object = None) -> None:
        """The group is over; may be called again."""
        if not self._left:
            self._left = True
            self._round.leave()


class _Round:
    def __init__(self, book: Book, round_id: RoundId, hear: Hear, groups_per_step: int) -> None:
        self._book, self._id, self._hear = book, round_id, hear
        self._groups_per_step = groups_per_step
        self.open = 0
        self._tally, self._untold = Tally(), list[Verdict]()
        self.means: asyncio.Future[Means | None] = asyncio.get_running_loop().create_future()
        self._ending: asyncio.Task[None] | None = None
        # calls that are sent together may arrive in any order, so each waits for the one before
        self._before = asyncio.create_task(book.begin(round_id))

    @property
    def is_over(self) -> bool:
        return self._ending is not None

    def judged(self, verdict: Verdict, teaches: Verdict | None) -> None:
        self._tally.add(verdict)
        if teaches:
            self._untold.append(teaches)
        if len(self._untold) >= self._groups_per_step and self.open > 1:
            share = Share(self._id.actor, tuple(self._untold))
            self._untold.clear()
            self._before = asyncio.create_task(self._tell(share, self._before))

    def leave(self) -> None:
        self.open -= 1
        if not self.open:
            self._ending = asyncio.create_task(self._end())

    async def _tell(self, share: Share, before: asyncio.Task[None]) -> None:
        await before
        self._hear(await self._book.share(share))

    async def _end(self) -> None:
        try:
            await self._before
            found = await self._book.end(self._id, self._tally, tuple(self._untold))
            self._hear(found.shares)
        except Exception as error:  # whatever it is, those who wait for the means must hear of it
            self.means.set_exception(error)
            self.means.exception()  # nobody may be waiting
        else:
            self.means.set_result(found.means)
