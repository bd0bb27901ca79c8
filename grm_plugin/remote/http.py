"""JSON over HTTP to judge servers: bounded, retried where that can help, and never hanging."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.errors import GRMError, RefusedError, RequestTimeout, TransportError
from grm_plugin.remote.access import Access
from grm_plugin.remote.exchange import CONNECT_S, Exchange
from grm_plugin.remote.pace import Pace
from grm_plugin.remote.refusing.faults import Away, Busy, Fault, Wait
from grm_plugin.remote.replicas import Replica
from grm_plugin.remote.routing import Router
from grm_plugin.remote.slots import Slots

_LONGEST_PAUSE_S = 5.0
_SETTLE_S = 0.001


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent: the JSON value, and wall seconds from sending to the last byte."""

    value: Any
    seconds: float


@dataclass(slots=True)
class _Trip:
    """One request on its way: since when, where it failed last, and how often.

    Args:
        path: where it goes.
        body: what it carries.
        group: pins it to a replica.
        draws: what it counts for.
        asked_at: when it was made; ``ticket`` is its place among those made before.
        deadline: of the answer, from its first sending or its first after a wait.
        failed_at: the replica that gave it no answer last.
        refused_by: the replicas that will take no request like it.
        faults: of servers that were there.
        may_cost: whether it may have been billed, although no answer came.
    """

    path: str
    body: Mapping[str, Any]
    group: str
    draws: int
    asked_at: float
    ticket: int
    deadline: float = math.inf
    failed_at: Replica | None = None
    refused_by: set[Replica] = field(default_factory=set)
    faults: int = 0
    may_cost: bool = False
    last: str = ""

    def lost(self, error: TransportError | RequestTimeout) -> TransportError | RequestTimeout:
        """``error``, with which it ends, and whether it may have been billed on its way."""
        error.may_cost = self.may_cost
        return error


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
        self.router = Router(replicas)
        self._limits, self._exchange = limits, Exchange(access, max_bytes)
        self._slots, self._pace = Slots(limits.max_concurrent_samples), pace or Pace(None)
        self._loss, self._answered_at = loss, -math.inf
        self._back, self._turns = asyncio.Event(), asyncio.Lock()

    async def close(self) -> None:
        """Close all connections; open requests fail."""
        await self._exchange.close()

    async def post(
        self, path: str, body: Mapping[str, Any], *, group: str = "", draws: int = 1
    ) -> Answer:
        """Post ``body`` and return the JSON that came back.

        Args:
            path: such as ``/v1/chat/completions``.
            body: anything JSON.
            group: requests of one group go to one replica.
            draws: what it counts for the limit of draws in flight and for load.

        Raises:
            TransportError: no usable answer after all tries, garbage (which is not retried), or
                nobody was there for too long.
            RequestTimeout: the deadline passed.
            RefusedError: every server refuses requests like this one.
            ContextError: the prompt is too long for the judge.
            EngineError: the server refused the request.
        """
        trip = _Trip(path, body, group, draws, time.monotonic(), self._slots.ticket())
        while True:
            try:
                async with self._slots.hold(draws, trip.ticket):
                    await self._open(trip)
                    return await self._once(trip)
            except Wait as fault:
                trip.last, trip.deadline = str(fault), math.inf
                self._check_patience(trip)
            except RefusedError:
                if len(trip.refused_by) == len(self.router.replicas):
                    raise
            except Fault as fault:
                await asyncio.sleep(self._pause_s(trip, fault))

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

    async def _open(self, trip: _Trip) -> None:
        """Return when a replica may be asked."""
        while due_s := self.router.due_s(trip.refused_by):
            self._check_patience(trip)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._back.wait(), min(due_s, self._patience_s(trip)))
        await self._pace.turn()

    async def _once(self, trip: _Trip) -> Answer:
        with self.router.lease(
            trip.group, trip.draws, avoid=trip.failed_at, without=trip.refused_by
        ) as replica:
            sent_at = time.monotonic()
            trip.deadline = min(trip.deadline, sent_at + self._limits.request_timeout_s)
            try:
                async with asyncio.timeout(trip.deadline - sent_at):
                    value = await self._exchange.send("POST", replica, trip.path, trip.body)
            except TimeoutError:
                raise self._late(trip, replica) from None
            except TransportError as fault:
                trip.failed_at = replica
                trip.may_cost |= fault.may_cost
                self._blame(replica, fault, sent_at)
                raise
            except RefusedError as error:
                self._on_refusal(replica, trip, error)
                raise
            except GRMError:  # about this request; the server lives
                self._on_answer(replica, trip, sent_at)
                raise
            self._on_answer(replica, trip, sent_at)
            return Answer(value, time.monotonic() - sent_at)

    def _on_answer(self, replica: Replica, trip: _Trip, sent_at: float) -> None:
        self._answered_at = time.monotonic()
        self._slots.grow(trip.draws)
        if self.router.answered(replica, sent_at):
            self._back.set()  # wakes all who wait now
            self._back.clear()

    def _on_refusal(self, replica: Replica, trip: _Trip, error: RefusedError) -> None:
        """Who refuses one of us refuses all, unless that is only about a path it does not have."""
        trip.failed_at = replica
        trip.refused_by.add(replica)
        if len(self.router.replicas) > 1 and trip.path.startswith("/v1/"):
            self.router.refused(replica, str(error))

    def _blame(self, replica: Replica, fault: TransportError, sent_at: float) -> None:
        if isinstance(fault, Busy):
            news = self.router.busy(replica, fault, sent_at)
            if news and self.router.due_s():
                self._slots.shrink()
        elif isinstance(fault, Wait):
            self.router.away(replica, fault)
        elif isinstance(fault, Fault):
            self.router.failed(replica, str(fault))

    def _patience_s(self, trip: _Trip) -> float:
        """Seconds for which a request that waits will still wait, if nobody is answered."""
        since = max(trip.asked_at, self._answered_at)
        return since + self._limits.request_timeout_s - time.monotonic()

    def _check_patience(self, trip: _Trip) -> None:
        fault = self.router.waits
        if fault and (loss := self._loss()):
            raise trip.lost(TransportError(f"{fault}; {loss}"))
        if fault is None or self._patience_s(trip) > 0:
            return
        waited = f"waited for {self._limits.request_timeout_s:g} s, and it answered nobody"
        kind = TransportError if isinstance(fault, Away) else RequestTimeout
        raise trip.lost(kind(f"{fault} ({waited})"))

    def _pause_s(self, trip: _Trip, fault: Fault) -> float:
        trip.faults += 1
        if trip.faults >= self._limits.tries:
            gave_up = f"{fault} (gave up after {self._limits.tries} tries)"
            raise trip.lost(TransportError(gave_up)) from fault
        return min(_LONGEST_PAUSE_S, 0.1 * 2.0**trip.faults) * random.uniform(0.5, 1.0)

    def _late(self, trip: _Trip, replica: Replica) -> RequestTimeout:
        limit = f"within {self._limits.request_timeout_s:g} s"
        said = f"{replica}{trip.path}: no answer {limit}; raise request_timeout_s"
        self.router.failed(replica, said)
        return RequestTimeout(f"{said}; before: {trip.last}" if trip.last else said)
