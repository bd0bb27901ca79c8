"""Rebuilds groups from responses that arrive one by one. Pure: time comes in as a number.

A group is open from its first response until it is full or ``flush_s`` have passed, then judged
once. It stays known for ``remember_s`` after that, so that a caller who asks again, because the
line broke or its patience ended, gets the same answer and no response is judged twice.

Once a group is closed, nothing but its id can bring a response to it that it does not know. A
prompt comes again, in the next step or as a copy in this one, and where callers send no ids its
responses would fill the places that a lost one left, with numbers of a judging that never saw them.
"""

from __future__ import annotations

from collections.abc import Hashable

from grm_plugin.errors import quoted
from grm_plugin.serving.admission import Admission
from grm_plugin.serving.errors import Conflict
from grm_plugin.serving.gathering import Arrival, Gathering, Seat, digest_of

# How many answered groups are remembered, as a multiple of those that can be in at a time.
_REMEMBERED = 4


class Collector:
    """Which responses belong together, and when a group is to be judged.

    Args:
        admission: every group and its texts count there until it is settled or dropped.
        flush_s: seconds a group stays open at most.
        remember_s: seconds a settled group stays known.
    """

    def __init__(self, admission: Admission, *, flush_s: float, remember_s: float) -> None:
        self._admission, self._flush_s, self._remember_s = admission, flush_s, remember_s
        self._newest: dict[Hashable, Gathering] = {}
        # without an id a prompt may have many groups: where an abandoned text is found again
        self._left: dict[tuple[Hashable, bytes], dict[Seat, None]] = {}
        self._open: dict[Gathering, None] = {}  # in the order in which they are due
        self._settled: dict[Gathering, float] = {}  # and when; oldest first
        self._ready: list[Gathering] = []

    @property
    def open_groups(self) -> int:
        """Groups that wait for responses."""
        return len(self._open)

    @property
    def next_due(self) -> float | None:
        """When the next group must not wait any longer; None when no group waits."""
        return next((gathering.due_at for gathering in self._open), None)

    def add(self, arrival: Arrival, now: float) -> Seat:
        """Give ``arrival`` a seat: the one it had when it is asked for again, else a new one.

        Raises:
            Conflict: its id names a group with another size or prompt, with this index for another
                text, or without a place for one more.
            Busy: it would begin a group and there is no room.
            Unavailable: there is no room for its text.
        """
        self._forget(now)
        digest = digest_of(arrival.response)
        gathering = self._newest.get(arrival.group)
        if seat := self._seat_of(arrival, digest, now):
            seat.calls += 1
            seat.callers += 1
            return seat
        if gathering is None or not (gathering.open or arrival.name):
            gathering = self._begin(arrival, now)
        elif misfit := gathering.misfit(arrival):
            raise Conflict(f"group {quoted(arrival.name)}: {misfit}")
        return self._seat(gathering, arrival, digest)

    def _seat_of(self, arrival: Arrival, digest: bytes, now: float) -> Seat | None:
        """The seat of a response that is sent again."""
        if arrival.name:
            gathering = self._newest.get(arrival.group)
            return gathering.seat_of(arrival, digest, now) if gathering else None
        left = self._left.get((arrival.group, digest), {})
        return next((seat for seat in left if seat.abandoned(now)), None)

    def _begin(self, arrival: Arrival, now: float) -> Gathering:
        held = self._admission.held_bytes.lease(arrival.caller.name)
        held.check(arrival.characters)
        group = self._admission.groups.lease(arrival.caller.name, 1)
        gathering = Gathering(
            key=arrival.group,
            size=arrival.size,
            asked=arrival.asked,
            due_at=now + self._flush_s,
            caller=arrival.caller,
            leases=(group, held),
            name=arrival.name,
        )
        self._newest[arrival.group] = gathering
        self._open[gathering] = None
        return gathering

    def _seat(self, gathering: Gathering, arrival: Arrival, digest: bytes) -> Seat:
        if gathering.open:
            gathering.keep(arrival)
        seat = Seat(gathering, arrival.index, digest)
        gathering.seats.append(seat)
        if gathering.open and not gathering.missing:
            self._close(gathering)
        return seat

    def _close(self, gathering: Gathering) -> None:
        gathering.open = False
        came = zip(gathering.arrivals, gathering.seats, strict=True)
        ordered = sorted(came, key=lambda pair: (pair[0].index or 0, pair[0].response))
        for place, (_, seat) in enumerate(ordered):
            seat.place = place
        gathering.arrivals = [arrival for arrival, _ in ordered]
        del self._open[gathering]
        self._ready.append(gathering)

    def leave(self, seat: Seat, now: float, *, answered: bool) -> None:
        """A caller has gone, with its answer or without one."""
        seat.callers -= 1
        seat.answered = seat.answered or answered
        seat.left_at = now
        if seat.gathering.known and seat.abandoned(now):
            self._left.setdefault((seat.gathering.key, seat.digest), {})[seat] = None

    def take_ready(self, now: float) -> list[Gathering]:
        """Groups to judge now, each given out once: those that are full, and those that are due."""
        while (due := self.next_due) is not None and due <= now:
            self._close(next(iter(self._open)))
        ready, self._ready = self._ready, []
        return ready

    def close_all(self) -> None:
        """Every open group is ready as it is."""
        for gathering in list(self._open):
            self._close(gathering)

    def settle(self, gathering: Gathering, now: float) -> None:
        """``gathering`` has its answer: keep it for those who ask again."""
        gathering.let_go()
        self._settled[gathering] = now
        self._forget(now)

    def drop(self, gathering: Gathering) -> None:
        """``gathering`` gets no answer: who asks again begins anew."""
        gathering.let_go()
        self._unknow(gathering)

    def _forget(self, now: float) -> None:
        while self._settled:
            gathering, settled_at = next(iter(self._settled.items()))
            old = now - settled_at >= self._remember_s
            if not old and len(self._settled) <= _REMEMBERED * self._admission.groups.size:
                return
            del self._settled[gathering]
            self._unknow(gathering)

    def _unknow(self, gathering: Gathering) -> None:
        gathering.known = False
        if self._newest.get(gathering.key) is gathering:
            del self._newest[gathering.key]
        for seat in gathering.seats:
            left = self._left.get((gathering.key, seat.digest), {})
            left.pop(seat, None)
            if not left:
                self._left.pop((gathering.key, seat.digest), None)
