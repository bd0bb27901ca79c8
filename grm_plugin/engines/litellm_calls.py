"""Calls of litellm: some at a time, no more a minute than allowed, and with patience."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.engines.litellm_errors import understood
from grm_plugin.errors import RequestTimeout, TransportError
from grm_plugin.remote.pace import Pace
from grm_plugin.remote.refusing.faults import Busy, Fault
from grm_plugin.remote.slots import Slots

logger = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_SETTLE_S, _TELL_EVERY_S = 0.001, 60.0


class Caller:
    """Waits as :class:`grm_plugin.remote.http.Client` does: for a provider that is busy no try is
    spent, and all requests wait together, until ``request_timeout_s`` after it answered anybody.

    Args:
        complete: ``litellm.acompletion``.
        limits: draws at a time, seconds of a request, tries on faults.
        pace: how often it may ask.
        owner: how messages call the provider.
        hide: takes the key out of what is said.
    """

    def __init__(
        self,
        complete: Callable[..., Awaitable[Any]],
        limits: Limits,
        pace: Pace,
        owner: str,
        hide: Callable[[str], str] = str,
    ) -> None:
        self._complete, self._limits, self._pace = complete, limits, pace
        self._owner, self._hide = owner, hide
        self._slots, self._turns = Slots(limits.max_concurrent_samples), asyncio.Lock()
        self._pause_s = _FIRST_PAUSE_S
        self._answered_at = self._due_at = self._told_at = -math.inf
        self.trouble = ""

    @property
    def answered(self) -> bool:
        """Whether the provider ever gave an answer."""
        return self._answered_at > -math.inf

    async def turn(self) -> None:
        """Return when nobody waits for a slot, one caller after the other."""
        await self._turns.acquire()
        try:
            await self._slots.unwanted()
            await self._pace.caught_up()
        finally:
            asyncio.get_running_loop().call_later(_SETTLE_S, self._turns.release)

    async def call(self, arguments: Mapping[str, Any]) -> tuple[Any, float]:
        """What litellm answers, and the seconds from the last sending.

        Raises:
            ContextError, DeclinedError, RefusedError, RequestTimeout, TransportError: as
                :func:`grm_plugin.engines.litellm_errors.understood` says, or after all tries.
        """
        asked_at, ticket, faults = time.monotonic(), self._slots.ticket(), list[Fault]()
        while True:
            try:
                async with self._slots.hold(1, ticket):
                    await self._open(asked_at, faults)
                    return await self._once(arguments)
            except Busy:
                continue
            except Fault as fault:
                faults.append(fault)
                if len(faults) >= self._limits.tries:
                    raise TransportError(f"{fault} (gave up after {len(faults)} tries)") from fault
                await asyncio.sleep(0.1 * 2.0 ** len(faults) * random.uniform(0.5, 1.0))

    async def _open(self, asked_at: float, faults: Sequence[Fault]) -> None:
        """Return when the provider may be asked."""
        limit_s = self._limits.request_timeout_s
        while (due_s := self._due_at - time.monotonic()) > 0:
            left_s = max(asked_at, self._answered_at) + limit_s - time.monotonic()
            if left_s <= 0:
                late = RequestTimeout(
                    f"{self._owner}: no answer within {limit_s:g} s; last: {self.trouble}"
                )
                late.may_cost = bool(faults)
                raise late
            await asyncio.sleep(min(due_s, left_s))
        await self._pace.turn()

    async def _once(self, arguments: Mapping[str, Any]) -> tuple[Any, float]:
        sent_at, limit_s = time.monotonic(), self._limits.request_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._complete(timeout=limit_s, **arguments)
        except TimeoutError:
            raise RequestTimeout(
                f"{self._owner}: no answer within {limit_s:g} s; raise request_timeout_s"
            ) from None
        except Exception as error:
            found = understood(error, self._hide(str(error)), answered=self.answered)
            if isinstance(found, Busy):
                self._on_busy(found, sent_at)
            raise found from error
        self._on_answer()
        return answer, time.monotonic() - sent_at

    def _on_busy(self, fault: Busy, sent_at: float) -> None:
        """The first of many that were sent before it was known; the others are no news."""
        if sent_at < self._due_at:
            return
        if time.monotonic() - self._told_at > _TELL_EVERY_S:
            logger.warning("%s is busy and is waited for: %s", self._owner, fault)
            self._told_at = time.monotonic()
        self.trouble = str(fault)
        self._slots.shrink()
        pause_s = self._pause_s * random.uniform(0.5, 1.0)
        self._due_at = time.monotonic() + (pause_s if fault.after_s is None else fault.after_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def _on_answer(self) -> None:
        self._answered_at, self._pause_s, self.trouble = time.monotonic(), _FIRST_PAUSE_S, ""
        self._slots.grow(1)
