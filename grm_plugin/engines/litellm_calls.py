"""Calls of litellm: some at a time, no more a minute than allowed, and with patience."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.engines.litellm_errors import understood
from grm_plugin.errors import RefusedError, RequestTimeout, TransportError
from grm_plugin.remote.pace import Pace
from grm_plugin.remote.refusing.faults import Away, Busy, Fault, Nowhere, Wait
from grm_plugin.remote.slots import Slots

logger = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_LONGEST_PAUSE_AWAY_S = 5.0  # notice soon who is back
_SETTLE_S, _TELL_EVERY_S = 0.001, 60.0


class Caller:
    """Waits as :class:`grm_plugin.remote.http.Client` does: for a provider that is busy or away no
    try is spent, and all requests wait together, until ``request_timeout_s`` after it answered
    anybody.

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
        self._waits: Wait | None = None

    @property
    def trouble(self) -> str:
        """Why requests wait now; empty when they do not."""
        return str(self._waits or "")

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

        Where litellm can not make an answer of a chat completion, this is its JSON text.

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
            except Wait:
                continue
            except Fault as fault:
                faults.append(fault)
                if len(faults) >= self._limits.tries:
                    raise TransportError(f"{fault} (gave up after {len(faults)} tries)") from fault
                await asyncio.sleep(0.1 * 2.0 ** len(faults) * random.uniform(0.5, 1.0))

    async def _open(self, asked_at: float, faults: Sequence[Fault]) -> None:
        """Return when the provider may be asked, and it is the turn of this request."""
        limit_s = self._limits.request_timeout_s
        while not (self._due_s() <= 0 and await self._pace.turn(lambda: self._due_s() <= 0)):
            left_s = max(asked_at, self._answered_at) + limit_s - time.monotonic()
            if left_s <= 0:
                late = self._lost(limit_s)
                late.may_cost = bool(faults)
                raise late
            await asyncio.sleep(min(max(0.0, self._due_s()), left_s))

    def _due_s(self) -> float:
        return self._due_at - time.monotonic()

    def _lost(self, waited_s: float) -> TransportError | RequestTimeout:
        kind = TransportError if isinstance(self._waits, Away) else RequestTimeout
        return kind(
            f"{self._owner}: no answer within {waited_s:g} s; last: {self._told(self._waits)}"
        )

    def _told(self, fault: Wait | None) -> str:
        return str(fault or "").removeprefix(f"{self._owner}: ")

    async def _once(self, arguments: Mapping[str, Any]) -> tuple[Any, float]:
        sent_at, limit_s = time.monotonic(), self._limits.request_timeout_s
        heard: list[str] = []
        asked = {"timeout": limit_s, "logger_fn": partial(_hear, heard), **arguments}
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._complete(**asked)
        except TimeoutError:
            raise RequestTimeout(
                f"{self._owner}: no answer within {limit_s:g} s; raise request_timeout_s"
            ) from None
        except Exception as error:
            if not (answer := next(filter(_is_completion, heard), None)):
                raise self._fault(error, heard, sent_at) from error
        self._on_answer()
        return answer, time.monotonic() - sent_at

    def _fault(self, error: Exception, heard: Sequence[str], sent_at: float) -> Exception:
        found = understood(error, self._owner, self._hide, heard[-1] if heard else "")
        if isinstance(found, Nowhere) and not self.answered:
            return RefusedError(str(found))
        if isinstance(found, Wait):
            self._on_wait(found, sent_at)
        return found

    def _on_wait(self, fault: Wait, sent_at: float) -> None:
        """The first of many that were sent before it was known; the others are no news."""
        if sent_at < self._due_at:
            return
        busy = isinstance(fault, Busy)
        if time.monotonic() - self._told_at > _TELL_EVERY_S:
            state = "is busy" if busy else "gives no answer"
            logger.warning("%s %s and is waited for: %s", self._owner, state, self._told(fault))
            self._told_at = time.monotonic()
        self._waits = fault
        if busy:
            self._slots.shrink()
        pause_s = self._pause_s * random.uniform(0.5, 1.0)
        self._due_at = time.monotonic() + (pause_s if fault.after_s is None else fault.after_s)
        longest_s = _LONGEST_PAUSE_S if busy else _LONGEST_PAUSE_AWAY_S
        self._pause_s = min(2 * self._pause_s, longest_s)

    def _on_answer(self) -> None:
        self._answered_at, self._pause_s, self._waits = time.monotonic(), _FIRST_PAUSE_S, None
        self._slots.grow(1)


def _hear(heard: list[str], call: Mapping[str, Any]) -> None:
    """Keep what the provider sent, as litellm tells it before it makes an answer of it."""
    said = call.get("original_response")
    if isinstance(said, str):
        heard.append(said)


def _is_completion(said: str) -> bool:
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("choices"), list)
