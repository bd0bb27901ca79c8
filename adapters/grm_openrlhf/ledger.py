"""What all rollout actors of a run judge: what it came to, and what each learns of the others.

One ledger serves a run: the launcher keeps it in a Ray actor of its own (:mod:`.ending`). An
actor that was started without the launcher keeps one for itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from grm_plugin.hosts.counting import Tally
from grm_plugin.types import Verdict

logger = logging.getLogger(__name__)

_PATIENCE_S = 600.0  # for rounds of other actors; then an answer is from what is known


@dataclass(frozen=True, slots=True)
class Means:
    """What scored groups came to: mean over groups of their mean and of their best reward."""

    mean: float
    best: float


def means(tally: Tally) -> Means | None:
    """What scored groups came to; None when no group had a reward."""
    return Means(tally.by_group.value, tally.best.value) if tally.scored else None


@dataclass(frozen=True, slots=True)
class Totals:
    """A run at its end.

    Args:
        training: its training groups.
        evaluation: what the last evaluation came to, as a line; empty when it was told already.
    """

    training: Tally
    evaluation: str = ""


@dataclass(frozen=True, slots=True)
class RoundId:
    """A round of groups of one rollout actor, which no other round equals.

    Args:
        actor: a name that no other actor of the run has.
        number: of the actor's rounds of this kind.
        training: whether its groups are trained on, or belong to an evaluation.
    """

    actor: str
    number: int
    training: bool


@dataclass(frozen=True, slots=True)
class Share:
    """Training groups that one rollout actor judged, for all to learn from."""

    actor: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """What an actor hears at the end of a round.

    Args:
        means: over this batch of training groups, or over this evaluation so far, of which the host
            rolls out a batch of prompts at a time; None when none of its groups had a reward.
        shares: what was told since the actor heard it last, by itself, too, in an order that is the
            same for all.
    """

    means: Means | None
    shares: tuple[Share, ...] = ()


class Book(Protocol):
    """A ledger, wherever it is."""

    async def begin(self, round_id: RoundId) -> None:
        """A round of groups has begun; see :meth:`Ledger.begin`."""

    async def end(self, round_id: RoundId, tally: Tally, verdicts: tuple[Verdict, ...]) -> Ended:
        """It is over; see :meth:`Ledger.end`."""

    async def share(self, share: Share) -> tuple[Share, ...]:
        """A part of a long round is judged; see :meth:`Ledger.share`."""

    async def number(self, actor: str) -> int | None:
        """Which of the rollout actors it is; see :meth:`Ledger.number`."""

    async def first(self, what: str, said: str) -> str:
        """What another rollout actor said before; see :meth:`Ledger.first`."""


class Ledger:
    """Adds up the rounds of all rollout actors; see :mod:`.rounds`.

    Args:
        groups_per_step: training groups of a step, over all actors.
        first_step: training steps that were over before, when a run is resumed.
    """

    def __init__(self, groups_per_step: int = 1, first_step: int = 0) -> None:
        self._groups_per_step, self._first_step = groups_per_step, first_step
        self._open: dict[bool, dict[RoundId, asyncio.Future[None]]] = {True: {}, False: {}}
        self._unheard: dict[str, list[Share]] = {}  # by each actor that trains
        self._early: list[Share] = []  # for actors that begin late in the first step
        self._told = 0
        self._training = self._batch = self._evaluation = Tally()
        self._evaluation_is_lost = False
        self._numbers: dict[str, int] = {}
        self._firsts: dict[str, str] = {}

    async def number(self, actor: str) -> int | None:
        """A number for a rollout actor, from 0 on, the same whenever it asks.

        Args:
            actor: a name that no other has.
        """
        return self._numbers.setdefault(actor, len(self._numbers))

    async def first(self, what: str, said: str) -> str:
        """What the first rollout actor said that was asked the same, so that all can compare.

        Args:
            what: all say the same about.
            said: by this one.
        """
        return self._firsts.setdefault(what, said)

    async def begin(self, round_id: RoundId) -> None:
        """A round has begun.

        Training ends an evaluation, which may take several rounds.
        """
        if round_id.training:
            await _done(self._open[False])
            if self._evaluation.groups:
                logger.info(self._close_evaluation())
            if not self._open[True]:
                self._batch = Tally()
            self._unheard.setdefault(round_id.actor, [*self._early])
        self._open[round_id.training][round_id] = asyncio.get_running_loop().create_future()

    async def end(
        self, round_id: RoundId, tally: Tally, verdicts: tuple[Verdict, ...] = ()
    ) -> Ended:
        """What the scored groups came to, once the rounds of other actors are over as well.

        Args:
            round_id: of one that has begun.
            tally: of its groups.
            verdicts: of its training groups, where others learn from them.
        """
        self._add(tally, round_id.training)
        self._tell(Share(round_id.actor, verdicts))
        self._open[round_id.training].pop(round_id).set_result(None)
        await _done(self._open[round_id.training])
        found = means(self._batch if round_id.training else self._evaluation)
        self._evaluation_is_lost |= not round_id.training and found is None
        return Ended(found, self._hear(round_id.actor))

    async def share(self, share: Share) -> tuple[Share, ...]:
        """Tell the others what was judged so far, and hear of them, without waiting for anybody.

        Returns:
            As :attr:`Ended.shares`.
        """
        self._tell(share)
        return self._hear(share.actor)

    def _tell(self, share: Share) -> None:
        if not share.verdicts:
            return
        for unheard in self._unheard.values():
            unheard.append(share)
        self._told += len(share.verdicts)
        if self._told <= self._groups_per_step:
            self._early.append(share)
        else:
            self._early.clear()

    def _hear(self, actor: str) -> tuple[Share, ...]:
        unheard = self._unheard.get(actor, [])
        heard = tuple(unheard)
        unheard.clear()
        return heard

    def close(self) -> Totals:
        """The run is over."""
        line = self._close_evaluation() if self._evaluation.groups else ""
        return Totals(self._training, line)

    def _add(self, tally: Tally, training: bool) -> None:
        if training:
            self._training += tally
            self._batch += tally
        else:
            self._evaluation += tally

    def _close_evaluation(self) -> str:
        found, self._evaluation = self._evaluation, Tally()
        is_lost, self._evaluation_is_lost = self._evaluation_is_lost, False
        step = self._first_step + self._training.groups // self._groups_per_step
        lost = found.unscored.total()
        line = f"evaluation at step {step}: {lost} of {found.groups} groups had no reward"
        if is_lost:
            return f"{line}, so its metrics are NaN and no checkpoint is picked by it"
        return f"{line} and are left out of its metrics" if lost else line


async def _done(rounds: Mapping[RoundId, asyncio.Future[None]]) -> None:
    """Wait for the rounds that are open now."""
    if rounds:
        await asyncio.wait(list(rounds.values()), timeout=_PATIENCE_S)
