"""How much may be in the server at a time, and how its callers share that."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from grm_plugin.errors import GRMError, quoted
from grm_plugin.serving.errors import Busy, TooLarge, Unavailable
from grm_plugin.serving.settings import ServingSettings

# A caller counts when shares are made for so long after it was refused: it will ask again.
_ASKS_AGAIN_S = 10.0
# What is taken before shares matter: until then everybody gets what they ask for.
_PLENTY = 0.75


class Quota:
    """So much of one thing at a time. A full one refuses and never waits.

    While there is plenty a caller may take whatever it wants. When more than three quarters are
    taken, a caller that has its fair share, which is the same for all callers that are in or were
    refused in the last seconds, gets no more until the others had their turn.

    Args:
        what: what is counted, in the plural.
        size: most of it at a time.
        setting: the setting that says so.
        each: most for one caller, or None.
        full: the error that refuses.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        what: str,
        size: int,
        setting: str,
        *,
        each: int | None = None,
        full: type[GRMError] = Busy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size, self.taken = size, 0
        self._what, self._setting, self._each = what, setting, each
        self._full, self._clock = full, clock
        self._held: dict[str, int] = {}
        self._refused_at: dict[str, float] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def check(self, caller: str, amount: int = 1) -> None:
        """Refuse what :meth:`take` would refuse now."""
        if why := self._against(caller, amount):
            self._refused_at.pop(caller, None)
            self._refused_at[caller] = self._clock()  # the last one at the end
            raise self._full(f"no room for {amount} more {self._what}: {why}")

    def check_fits(self, amount: int, caller: str) -> None:
        """Refuse what one purpose can never have, however long its caller waits.

        Raises:
            TooLarge: it is more than all, or than what one caller may have.
        """
        most = min(self.size, self._each or self.size)
        if amount > most:
            setting = self._setting + "_per_caller" * (most < self.size)
            raise TooLarge(
                f"expected at most {most} {self._what} of caller {quoted(caller)} at a time, got "
                f"{amount} in one; send less in one call, or raise {setting}"
            )

    def take(self, caller: str, amount: int = 1) -> None:
        """Let ``caller`` have ``amount`` more; all of it or nothing.

        Raises:
            Busy: there is too little left, or the caller has its share; or what ``full`` says.
        """
        self.check(caller, amount)
        self._refused_at.pop(caller, None)
        self._held[caller] = self._held.get(caller, 0) + amount
        self.taken += amount
        self._empty.clear()

    def give_back(self, caller: str, amount: int = 1) -> None:
        """``caller`` needs ``amount`` of it no more."""
        self.taken -= amount
        self._held[caller] -= amount
        if not self._held[caller]:
            del self._held[caller]
        if not self.taken:
            self._empty.set()

    def lease(self, caller: str, amount: int = 0) -> Lease:
        """``amount`` for one purpose, to be given back at its end; raises as :meth:`take`."""
        lease = Lease(self, caller)
        lease.grow(amount)
        return lease

    async def emptied(self) -> None:
        """Return when everything is given back."""
        await self._empty.wait()

    def _against(self, caller: str, amount: int) -> str:
        """Why ``caller`` can not have it, empty when it can."""
        wanted = self._held.get(caller, 0) + amount
        if self.taken + amount > self.size:
            return (
                f"{self.taken} of at most {self.size} are in; ask again later, or raise "
                f"{self._setting}"
            )
        if self._each is not None and wanted > self._each:
            return (
                f"caller {quoted(caller)} has {wanted - amount} of at most {self._each} in; ask "
                f"again later, or raise {self._setting}_per_caller"
            )
        if self.taken + amount > _PLENTY * self.size and wanted > (share := self._share(caller)):
            return (
                f"caller {quoted(caller)} has {wanted - amount} in, and {share} is its share "
                f"while others ask too; ask again later, or raise {self._setting}"
            )
        return ""

    def _share(self, caller: str) -> int:
        since = self._clock() - _ASKS_AGAIN_S
        while self._refused_at and next(iter(self._refused_at.values())) <= since:
            del self._refused_at[next(iter(self._refused_at))]
        return math.ceil(self.size / len({caller, *self._held, *self._refused_at}))


class Lease:
    """What one call or group has of a quota; given back once, however often it is ended."""

    def __init__(self, quota: Quota, caller: str) -> None:
        self._quota, self._caller, self._amount = quota, caller, 0

    def grow(self, amount: int) -> None:
        """Have ``amount`` more; raises as :meth:`Quota.take` and :meth:`Quota.check_fits`."""
        if amount:
            self._quota.check_fits(self._amount + amount, self._caller)
            self._quota.take(self._caller, amount)
            self._amount += amount

    def check(self, amount: int) -> None:
        """Refuse what :meth:`grow` would refuse now."""
        self._quota.check_fits(self._amount + amount, self._caller)
        self._quota.check(self._caller, amount)

    def end(self) -> None:
        """Give all of it back."""
        amount, self._amount = self._amount, 0
        if amount:
            self._quota.give_back(self._caller, amount)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


@dataclass(frozen=True)
class Admission:
    """The quotas of one server.

    Args:
        calls: HTTP calls from their headers to their answer.
        groups: from the first response to the verdict.
        held_bytes: bodies of calls until they are answered, and texts that wait for their group.
    """

    calls: Quota
    groups: Quota
    held_bytes: Quota

    @classmethod
    def of(cls, settings: ServingSettings) -> Admission:
        """As the settings say."""
        return cls(
            Quota("calls", settings.max_calls, "max_calls", each=settings.max_calls_per_caller),
            Quota("groups", settings.queue, "queue", each=settings.queue_per_caller),
            Quota("bytes", settings.max_held_bytes, "max_held_bytes", full=Unavailable),
        )
