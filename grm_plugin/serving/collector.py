"""Rebuilds groups from responses that arrive one by one. Pure: time comes in as a number.

A group is open from its first response until it is full or ``flush_s`` have passed, then judged
once. It stays known for ``remember_s`` after that, so that a caller who asks again, because the
line broke or its patience ended, gets the same answer and no response is judged twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass, field

from grm_plugin.serving.admission import Room
from grm_plugin.serving.errors import Conflict
from grm_plugin.types import Message

# How many answered groups are remembered, as a multiple of those that can be in at a time.
_REMEMBERED = 4


@dataclass(frozen=True, slots=True)
class Arrival:
    """One response as it arrives.

    Args:
        group: what the responses of one group have in common.
        size: responses of the group when it is whole.
        conversation: what was asked.
        response: what was answered.
        reference: a known good answer, or None.
        index: its place in the group, 0..size-1, or None where the caller does not say.
        name: the group's id for messages and records, empty when there is none.
    """

    group: Hashable
    size: int
    conversation: tuple[Message, ...]
    response: str
    reference: str | None = None
    index: int | None = None
    name: str = ""


@dataclass(eq=False, slots=True)
class Seat:
    """The place of one response in its group.

    Args:
        gathering: the group.
        index: as the caller sent it.
        digest: hash of the response.
        place: its place among the judged responses; None before its group is closed, and for good
            when it came later.
        calls: how often it came.
        callers: how many calls wait for its answer.
        answered: whether a caller has got it.
    """

    gathering: Gathering
    index: int | None
    digest: bytes
    place: int | None = None
    calls: int = 1
    callers: int = 1
    answered: bool = False

    @property
    def abandoned(self) -> bool:
        """Whether everybody who asked has gone without an answer; they may ask again."""
        return not self.callers and not self.answered


@dataclass(eq=False, slots=True, weakref_slot=True)
class Gathering:
    """A group that comes together.

    ``arrivals`` are there until it is settled, and once it is closed in an order that does not
    depend on who came first, so that the same group gets the same rewards. ``seats`` stay.
    """

    key: Hashable
    size: int
    asked: tuple[tuple[Message, ...], str | None]
    due_at: float
    name: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    open: bool = True

    @property
    def missing(self) -> int:
        """Responses that have not come."""
        return self.size - len(self.seats)

    def seat_of(self, arrival: Arrival, digest: bytes) -> Seat | None:
        """The seat a repeated call means: that of its index, else an abandoned one of its text."""
        for seat in self.seats:
            same = seat.digest == digest
            if arrival.index is None:
                if same and seat.abandoned:
                    return seat
            elif seat.index == arrival.index and same:
                return seat
        return None

    @property
    def partial(self) -> bool:
        """Whether it is judged, or would be now, without some of its responses."""
        return len(self.arrivals) < self.size

    def misfit(self, arrival: Arrival) -> str:
        """Why ``arrival`` can not be one of this group's responses; empty when it can."""
        if arrival.size != self.size:
            return f"expected size {self.size}, as its first call said, got {arrival.size}"
        if (arrival.conversation, arrival.reference) != self.asked:
            return (
                "expected the prompt and label of its first call, got others; give every group "
                "an id of its own"
            )
        if arrival.index is not None and any(arrival.index == seat.index for seat in self.seats):
            return (
                f"sample index {arrival.index} came before with another response; give every "
                "sample of a group an index of its own"
            )
        return "" if self.missing else f"expected {self.size} responses, got one more"


class Collector:
    """Which responses belong together, and when a group is to be judged.

    Args:
        room: every group is counted there until it is settled or dropped.
        flush_s: seconds a group stays open at most.
        remember_s: seconds a settled group stays known.
    """

    def __init__(self, room: Room, *, flush_s: float, remember_s: float) -> None:
        self._room, self._flush_s, self._remember_s = room, flush_s, remember_s
        self._known: dict[Hashable, Gathering] = {}
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
            Conflict: an open group has another size or prompt, or this index with another text.
            Busy: it would begin a group and there is no room.
        """
        self._forget(now)
        text = arrival.response.encode(errors="surrogatepass")  # JSON may hold half a pair
        digest = hashlib.blake2b(text, digest_size=16).digest()
        gathering = self._known.get(arrival.group)
        if gathering is not None and (seat := gathering.seat_of(arrival, digest)):
            seat.calls += 1
            seat.callers += 1
            return seat
        misfit = gathering.misfit(arrival) if gathering is not None else ""
        if gathering is not None and gathering.open and misfit:
            raise Conflict(f"group {arrival.name or 'without an id'}: {misfit}")
        if gathering is None or misfit:  # a settled group's id may be used again
            gathering = self._begin(arrival, now)
        return self._seat(gathering, arrival, digest)

    def _begin(self, arrival: Arrival, now: float) -> Gathering:
        self._room.take()
        asked = (arrival.conversation, arrival.reference)
        due_at = now + self._flush_s
        gathering = Gathering(arrival.group, arrival.size, asked, due_at, arrival.name)
        self._known[arrival.group] = gathering
        self._open[gathering] = None
        return gathering

    def _seat(self, gathering: Gathering, arrival: Arrival, digest: bytes) -> Seat:
        seat = Seat(gathering, arrival.index, digest)
        gathering.seats.append(seat)
        if gathering.open:
            gathering.arrivals.append(arrival)
            if not gathering.missing:
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

    def leave(self, seat: Seat, *, answered: bool) -> None:
        """A caller has gone, with its answer or without one."""
        seat.callers -= 1
        seat.answered = seat.answered or answered

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
        self._room.give()
        gathering.arrivals = []
        self._settled[gathering] = now
        self._forget(now)

    def drop(self, gathering: Gathering) -> None:
        """``gathering`` gets no answer: who asks again begins anew."""
        self._room.give()
        self._unknow(gathering)

    def _forget(self, now: float) -> None:
        while self._settled:
            gathering, settled_at = next(iter(self._settled.items()))
            old = now - settled_at >= self._remember_s
            if not old and len(self._settled) <= _REMEMBERED * self._room.size:
                return
            del self._settled[gathering]
            self._unknow(gathering)

    def _unknow(self, gathering: Gathering) -> None:
        if self._known.get(gathering.key) is gathering:
            del self._known[gathering.key]
