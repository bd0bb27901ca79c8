"""Which of several equal servers gets a request, and which are let alone for a while."""

from __future__ import annotations

import logging
import math
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from grm_plugin.remote.refusing.faults import Wait
from grm_plugin.remote.replicas import FIRST_PAUSE_S, Replica

logger = logging.getLogger(__name__)

FAULTS_TO_PUT_ASIDE = 3
LONGEST_PAUSE_S = 60.0
LONGEST_PAUSE_OF_ALL_S = 5.0  # with nobody else to ask, notice soon who is back
FIRST_REST_S = 0.5
SHORTEST_REST_S = 0.05  # some say 0
QUIET_S = 60.0
PIN_S = 60.0


@dataclass(eq=False)
class _Pin:
    replica: Replica
    in_flight: int = 0
    last_used: float = 0.0


@dataclass(eq=False)
class Router:
    """Sends whole groups to the least loaded replica, and around those that fail.

    A group stays with its replica while it has requests in flight and a minute longer, so that
    its prompts share one prefix cache. A replica with three transport faults in a row, or that is
    not there, is put aside for a growing while; then a single request probes it. One that is busy
    rests as long as it says, or a little longer than was enough the last time. With all of them
    aside the one that is due first is tried anyway; who asks should wait for it (:meth:`due_s`).

    Args:
        replicas: at least one.
        patience_s: how long requests wait; with nobody else to ask, pauses end well before.
        clock: seconds, monotonic.
    """

    replicas: Sequence[Replica]
    patience_s: float = math.inf
    clock: Callable[[], float] = time.monotonic
    _pins: OrderedDict[str, _Pin] = field(default_factory=OrderedDict)
    _picks: int = 0

    @contextmanager
    def lease(
        self,
        group: str,
        weight: int,
        *,
        avoid: Replica | None = None,
        without: Collection[Replica] = (),
    ) -> Iterator[Replica]:
        """A replica for the body, with ``weight`` draws counted as its load.

        Args:
            group: what is pinned to one replica; empty pins nothing.
            weight: draws of the request.
            avoid: the replica that just failed this request; taken only when there is no other.
            without: the replicas that refused this request for good; not all of them.
        """
        pin = self._pinned(group, avoid, [one for one in self.replicas if one not in without])
        pin.replica.load += weight
        pin.in_flight += 1
        try:
            yield pin.replica
        finally:
            pin.replica.load -= weight
            pin.in_flight -= 1
            pin.last_used = self.clock()

    def due_s(self, without: Collection[Replica] = ()) -> float:
        """Seconds until a replica may be asked that is neither away nor busy; 0: now.

        Args:
            without: replicas that do not count.
        """
        return min(self._due_s(one) for one in self.replicas if one not in without)

    def _due_s(self, replica: Replica) -> float:
        return max(0.0, replica.aside_until - self.clock()) if replica.waits else 0.0

    def waits(self, without: Collection[Replica] = ()) -> Wait | None:
        """Why no replica takes requests; None while one may.

        Args:
            without: replicas that do not count; not all of them.
        """
        return min((one for one in self.replicas if one not in without), key=self._due_s).waits

    def failed(self, replica: Replica, why: str) -> None:
        """Count a transport fault; those of a replica that is already aside say nothing new."""
        if self.clock() >= replica.aside_until:
            self._fault(replica, replica.faults + 1, why)

    def away(self, replica: Replica, fault: Wait) -> None:
        """Put aside a replica that is not there, at once."""
        if self.clock() >= replica.aside_until:
            self._fault(replica, max(replica.faults, FAULTS_TO_PUT_ASIDE - 1) + 1, str(fault))
        replica.waits = fault
        replica.aside_until = max(replica.aside_until, self.clock() + (fault.after_s or 0.0))

    def refused(self, replica: Replica, why: str) -> None:
        """Put aside a replica that takes no request of ours, while there are others."""
        if self.clock() >= replica.aside_until:
            self._fault(replica, max(replica.faults, FAULTS_TO_PUT_ASIDE - 1) + 1, why)

    def refuses(self, replica: Replica) -> bool:
        """Whether it is put aside though it is there."""
        return replica.faults >= FAULTS_TO_PUT_ASIDE and replica.waits is None

    def busy(self, replica: Replica, fault: Wait, sent_at: float) -> bool:
        """Let a replica rest that has too much to do.

        Args:
            replica: said so.
            fault: what it said, and for how long if it told.
            sent_at: clock seconds when the request was sent that it would not take.

        Returns:
            Whether this is news: requests sent before its last rest was over tell nothing new.
        """
        now, rested = self.clock(), replica.waits is not None
        if sent_at <= replica.aside_until:
            replica.aside_until = max(replica.aside_until, now + (fault.after_s or 0.0))
            return False
        if now - replica.busy_at > QUIET_S:
            logger.warning(
                "judge server %s is busy: %s; it is asked as often as it can take (a limit that is "
                "known can be set: requests_per_minute)", replica, fault,
            )  # fmt: skip
        replica.busy_at, replica.waits = now, fault
        told = fault.after_s
        rest_s = _rest_s(replica, rested) if told is None else max(told, SHORTEST_REST_S)
        replica.aside_until = now + rest_s
        return True

    def answered(self, replica: Replica, sent_at: float | None = None) -> bool:
        """Forget the faults of a replica that answered what was sent at ``sent_at``.

        Returns:
            Whether it may be asked again because of that.
        """
        is_back = replica.faults >= FAULTS_TO_PUT_ASIDE
        if not is_back and sent_at is not None and sent_at <= replica.aside_until:
            return False  # it rests, and works off what it took before
        if is_back:
            logger.warning("judge server %s is back", replica)
        was_aside = self.clock() < replica.aside_until
        replica.faults, replica.pause_s, replica.aside_until = 0, FIRST_PAUSE_S, 0.0
        replica.waits = None
        return was_aside

    def _fault(self, replica: Replica, faults: int, why: str) -> None:
        replica.faults = faults
        if faults >= FAULTS_TO_PUT_ASIDE:
            replica.aside_until = self.clock() + self._pause_s(replica)
        if faults == FAULTS_TO_PUT_ASIDE:
            logger.warning("judge server %s is put aside until it answers: %s", replica, why)

    def _pause_s(self, replica: Replica) -> float:
        others = any(self.clock() >= one.aside_until for one in self.replicas if one is not replica)
        alone_s = min(LONGEST_PAUSE_OF_ALL_S, self.patience_s / 4)
        return min(replica.pause_s, LONGEST_PAUSE_S if others else alone_s)

    def _pinned(self, group: str, avoid: Replica | None, able: Sequence[Replica]) -> _Pin:
        now = self.clock()
        self._forget_old(now)
        ready = [one for one in able if now >= one.aside_until]
        choice = [one for one in ready if one is not avoid] or ready
        pin = self._pins.get(group)
        if pin is None or pin.replica not in choice:
            pin = _Pin(self._least_loaded(choice) if choice else self._soonest(avoid, able))
        if group:
            self._pins[group] = pin
            self._pins.move_to_end(group)
        self._on_pick(pin.replica, now)
        return pin

    @staticmethod
    def _least_loaded(choice: Sequence[Replica]) -> Replica:
        return min(choice, key=lambda one: (one.load, one.picked))

    def _soonest(self, avoid: Replica | None, able: Sequence[Replica]) -> Replica:
        others = [one for one in able if one is not avoid] or able
        return min(others, key=lambda one: (self._due_s(one), one.aside_until))

    def _on_pick(self, replica: Replica, now: float) -> None:
        self._picks += 1
        replica.picked = self._picks
        if replica.faults >= FAULTS_TO_PUT_ASIDE and now >= replica.aside_until:
            # this request is the probe: nobody else follows until it has answered
            replica.pause_s = min(2 * replica.pause_s, LONGEST_PAUSE_S)
            replica.aside_until = now + self._pause_s(replica)

    def _forget_old(self, now: float) -> None:
        while self._pins:
            oldest = next(iter(self._pins.values()))
            if oldest.in_flight or now - oldest.last_used < PIN_S:
                return
            self._pins.popitem(last=False)


def _rest_s(replica: Replica, rested: bool) -> float:
    """How long a busy replica rests that does not say: what was enough before, or a bit more."""
    if rested:  # and it was not enough
        more = min(max(FIRST_REST_S / 2, replica.rested_s / 4), LONGEST_PAUSE_S)
        replica.rested_s += more
    else:
        more = replica.rested_s = min(max(FIRST_REST_S, 0.9 * replica.rested_s), LONGEST_PAUSE_S)
    return more * random.uniform(1.0, 1.1)
