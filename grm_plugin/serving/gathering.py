"""A group that comes together: its responses as they arrive, and the place of each."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass, field

from grm_plugin.serving.admission import Lease
from grm_plugin.serving.callers import Caller
from grm_plugin.types import Message

# How long a text without an index is known again after its last caller has gone: callers ask again
# within seconds, and an equal text of a later step is another response.
_ASKED_AGAIN_S = 30.0
_OWN_ID = "an id of its own in every step, or send steps"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One response as it arrives.

    Args:
        group: what the responses of one group have in common.
        size: responses of the group when it is whole.
        conversation: what was asked.
        response: what was answered.
        caller: who sent it.
        reference: a known good answer, or None.
        index: its place in the group, 0..size-1, or None where the caller does not say.
        name: the group's id for messages and records, empty when there is none. An id is unique
            while its group is known; without one ``group`` may come again at any time.
    """

    group: Hashable
    size: int
    conversation: tuple[Message, ...]
    response: str
    caller: Caller
    reference: str | None = None
    index: int | None = None
    name: str = ""

    @property
    def characters(self) -> int:
        """How long its texts are together."""
        asked = sum(len(turn.content) for turn in self.conversation)
        return asked + len(self.response) + len(self.reference or "")

    @property
    def asked(self) -> bytes:
        """A hash of what was asked, to tell whether two are of one group."""
        return digest_of(repr((self.conversation, self.reference)))


def digest_of(text: str) -> bytes:
    """A hash of a text, which may hold half a surrogate pair."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


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
        left_at: when the last caller went.
    """

    gathering: Gathering
    index: int | None
    digest: bytes
    place: int | None = None
    calls: int = 1
    callers: int = 1
    answered: bool = False
    left_at: float = 0.0

    def abandoned(self, now: float) -> bool:
        """Whether everybody who asked has just gone without an answer; they may ask again."""
        return not (self.callers or self.answered) and now - self.left_at < _ASKED_AGAIN_S


@dataclass(eq=False, slots=True, weakref_slot=True)
class Gathering:
    """A group that comes together.

    ``arrivals`` are there until it is settled, and once it is closed in an order that does not
    depend on who came first, so that the same group gets the same rewards. ``seats`` stay. It is
    ``known`` until it is forgotten or gets no answer. ``caller`` sent its first response: its
    limits count, by ``leases`` that end when the group is settled.
    """

    key: Hashable
    size: int
    asked: bytes
    due_at: float
    caller: Caller
    leases: tuple[Lease, Lease]
    name: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    open: bool = True
    known: bool = True

    def keep(self, arrival: Arrival) -> None:
        """Hold one more response until the group is judged.

        Raises:
            Unavailable: there is no room for its text.
        """
        _, held = self.leases
        held.grow(arrival.characters)
        self.arrivals.append(arrival)

    def let_go(self) -> None:
        """Hold no response any more: the group has its answer, or gets none."""
        self.arrivals = []
        for lease in self.leases:
            lease.end()

    @property
    def missing(self) -> int:
        """Responses that have not come."""
        return self.size - len(self.seats)

    def seat_of(self, arrival: Arrival, digest: bytes, now: float) -> Seat | None:
        """The seat that a repeated call means: of its index, else an abandoned one of its text.

        Where nobody is missing, a text that is known is no new response either.
        """
        same = [one for one in self.seats if (one.index, one.digest) == (arrival.index, digest)]
        known = arrival.index is not None or not self.missing
        abandoned = (seat for seat in same if seat.abandoned(now))
        return next(abandoned, same[0] if same and known else None)

    @property
    def partial(self) -> bool:
        """Whether it is judged, or would be now, without some of its responses."""
        return len(self.arrivals) < self.size

    def misfit(self, arrival: Arrival) -> str:
        """Why ``arrival`` can not be one of this group's responses; empty when it can."""
        if arrival.size != self.size:
            return f"expected size {self.size}, as its first call said, got {arrival.size}"
        if arrival.asked != self.asked:
            return (
                "expected the prompt and label of its first call, got others; give every group "
                f"{_OWN_ID}"
            )
        if arrival.index is not None and any(arrival.index == seat.index for seat in self.seats):
            return (
                f"sample index {arrival.index} came before with another response; give every "
                f"sample of a group an index, and every group {_OWN_ID}"
            )
        if self.missing:
            return ""
        return f"expected {self.size} responses, got one more; give every group {_OWN_ID}"
