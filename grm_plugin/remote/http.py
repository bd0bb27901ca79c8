"""JSON over HTTP to judge servers: bounded, retried where that can help, and never hanging."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.errors import (
    ContextError,
    DeclinedError,
    EngineError,
    RefusedError,
    RequestTimeout,
    TransportError,
)
from grm_plugin.remote.access import Access
from grm_plugin.remote.exchange import CONNECT_S, Exchange
from grm_plugin.remote.pace import Pace
from grm_plugin.remote.refusing.faults import Away, Busy, Fault, Wait
from grm_plugin.remote.refusing.refusals import Refused
from grm_plugin.remote.replicas import Replica
from grm_plugin.remote.routing import Router
from grm_plugin.remote.slots import Slots
from grm_plugin.remote.trip import NOBODY, Check, Trip, anything

_SETTLE_S = 0.001


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent: the JSON value, wall seconds from sending to the last byte, and who."""

    value: Any
    seconds: float
    by: Replica | None = None


class Client:
    """Posts to whichever replica the router names. Make it on the loop it will serve.

    A request waits, with no try spent, while the judge is busy (429, 503) or away (no connection,
    502, loading): until ``request_timeout_s`` after the judge answered anybody, or after it was
    made if that is later. So a queue that moves loses nothing, and one that stands still ends.

    Args:
        replicas: servers that give the same answers.
        limits: ``max_concurrent_samples`` counts draws in flight over all replicas;
            ``request_timeout_s`` bounds one request with all its tries, from its first sending;
            ``tries`` are for faults of a server that is there, and count the first one.
        access: how requests get to the replicas and in.
        max_bytes: longest answer, in bytes.
        pace: how often it may post.
        loss: why nobody will answer any more; empty while it makes sense to wait.
    """

    def __init__(
        self,
        replicas: Sequence[Replica],
        limits: Limits,
        access: Access,
        max_bytes: int,
        pace: Pace | None = None,
        loss: Callable[[], str] = str,
    ) -> None:
        self.router = Router(replicas, limits.request_timeout_s)
        self._limits, self._exchange = limits, Exchange(access, max_bytes)
        self._slots, self._pace = Slots(limits.max_concurrent_samples), pace or Pace(None)
        self._loss, self._answered_at = loss, -math.inf
        self._back, self._turns = asyncio.Event(), asyncio.Lock()

    async def close(self) -> None:
        """Close all connections; open requests fail."""
        await self._exchange.close()

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        group: str = "",
        draws: int = 1,
        check: Check = anything,
        refused_by: Mapping[Replica, RefusedError] = NOBODY,
        only: Replica | None = None,
    ) -> Answer:
        """Post ``body`` and return the JSON that came back.

        Args:
            path: such as ``/v1/chat/completions``.
            body: anything JSON.
            group: requests of one group go to one replica.
            draws: what it counts for the limit of draws in flight and for load.
            check: what an answer must pass, or it counts as garbage.
            refused_by: replicas that take no request like this one, which are not asked.
            only: the replica to ask, if there is only one for it.

        Raises:
            TransportError: no usable answer after all tries, garbage (retried where there is
                another server), or nobody was there for too long.
            RequestTimeout: the deadline passed.
            RefusedError: every server refuses requests like this one, or those that are there.
            ContextError: the prompt is too long for the judge.
            Refused: a server does not take the request as it is; says which one.
            EngineError: another refusal.
        """
        without = {one for one in self.router.replicas if only not in (None, one)}
        trip = Trip(
            *(path, body, group, draws, check, without | refused_by.keys()),
            *(list(refused_by.values()), time.monotonic(), self._slots.ticket()),
        )
        if len(trip.without) == len(self.router.replicas):
            raise trip.refusals[-1]
        while True:
            try:
                async with self._slots.hold(draws, trip.ticket):
                    await self._open(trip)
                    return await self._once(trip)
            except Wait as fault:
                trip.last, trip.deadline = str(fault), math.inf
                self._check_patience(trip)
            except RefusedError as error:
                if error not in trip.refusals or len(trip.without) == len(self.router.replicas):
                    raise
            except (Refused, DeclinedError, RequestTimeout):
                raise
            except EngineError as fault:
                if not isinstance(fault, Fault) and len(self.router.replicas) == 1:
                    raise
                await asyncio.sleep(trip.pause_s(fault, self._limits.tries))

    async def turn(self) -> None:
        """Return when nobody waits for a slot, one caller after the other.

        The requests of a group that is let in are queued before the next group is.
        """
        await self._turns.acquire()
        try:
            await self._slots.unwanted()
            await self._pace.caught_up()
        finally:
            asyncio.get_running_loop().call_later(_SETTLE_S, self._turns.release)

    async def get(self, replica: Replica, path: str) -> Any:
        """The JSON at ``path`` of one replica, in one try."""
        try:
            async with asyncio.timeout(CONNECT_S):
                return await self._exchange.send("GET", replica, path)
        except TimeoutError:
            raise RequestTimeout(f"{replica}{path}: no answer within {CONNECT_S:g} s") from None

    async def _open(self, trip: Trip) -> None:
        """Return when a replica may be asked, and it is the turn of this request."""

        def may() -> bool:
            return not self.router.due_s(trip.without)

        while not (may() and await self._pace.turn(may)):
            due_s = self.router.due_s(trip.without)
            self._check_patience(trip)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._back.wait(), min(due_s, self._patience_s(trip)))

    async def _once(self, trip: Trip) -> Answer:
        with self.router.lease(
            trip.group, trip.draws, avoid=trip.failed_at, without=trip.without
        ) as replica:
            sent_at = time.monotonic()
            trip.deadline = min(trip.deadline, sent_at + self._limits.request_timeout_s)
            try:
                async with asyncio.timeout(trip.deadline - sent_at):
                    value = await self._exchange.send("POST", replica, trip.path, trip.body)
                trip.check(value)
            except TimeoutError:
                raise self._late(trip, replica) from None
            except Refused as error:  # about this request, or about all; who asked finds out
                error.by = replica
                if not self.router.refuses(replica):
                    self._on_answer(replica, trip, sent_at)
                raise
            except (ContextError, DeclinedError):  # about this request; the server lives
                self._on_answer(replica, trip, sent_at)
                raise
            except RefusedError as error:
                self._on_refusal(replica, trip, error)
                raise
            except EngineError as error:
                trip.failed_at = replica
                trip.may_cost |= error.may_cost
                self._blame(replica, error, sent_at)
                raise
            self._on_answer(replica, trip, sent_at)
            return Answer(value, time.monotonic() - sent_at, replica)

    def _on_answer(self, replica: Replica, trip: Trip, sent_at: float) -> None:
        self._answered_at = time.monotonic()
        self._slots.grow(trip.draws)
        if self.router.answered(replica, sent_at):
            self._back.set()  # wakes all who wait now
            self._back.clear()

    def _on_refusal(self, replica: Replica, trip: Trip, error: RefusedError) -> None:
        trip.failed_at = replica
        trip.without.add(replica)
        trip.refusals.append(error)
        if trip.path.startswith("/v1/"):  # else it may be only about a path it does not have
            self.refused(replica, error)

    def refused(self, replica: Replica, error: RefusedError) -> None:
        """Who refuses one of us refuses all: let it alone for a while, if there are others."""
        if len(self.router.replicas) > 1:
            self.router.refused(replica, str(error))

    def _blame(self, replica: Replica, fault: EngineError, sent_at: float) -> None:
        if isinstance(fault, Busy):
            news = self.router.busy(replica, fault, sent_at)
            if news and self.router.due_s():
                self._slots.shrink()
        elif isinstance(fault, Wait):
            self.router.away(replica, fault)
        else:
            self.router.failed(replica, str(fault))

    def _patience_s(self, trip: Trip) -> float:
        """Seconds for which a request that waits will still wait, if nobody is answered."""
        since = max(trip.asked_at, self._answered_at)
        return since + self._limits.request_timeout_s - time.monotonic()

    def _check_patience(self, trip: Trip) -> None:
        fault = self.router.waits(trip.without)
        if fault and (loss := self._loss()):
            raise RefusedError(f"{fault}; {loss}")
        if fault is None or self._patience_s(trip) > 0:
            return
        waited = f"waited for {self._limits.request_timeout_s:g} s, and it answered nobody"
        if trip.refusals:
            raise RefusedError(f"{trip.refusals[-1]}; and nobody else: {fault} ({waited})")
        kind = TransportError if isinstance(fault, Away) else RequestTimeout
        raise trip.lost(kind(f"{fault} ({waited})"))

    def _late(self, trip: Trip, replica: Replica) -> RequestTimeout:
        limit = f"within {self._limits.request_timeout_s:g} s"
        said = f"{replica}{trip.path}: no answer {limit}; raise request_timeout_s"
        self.router.failed(replica, said)
        return RequestTimeout(f"{said}; before: {trip.last}" if trip.last else said)
