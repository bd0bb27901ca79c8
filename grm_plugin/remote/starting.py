"""Waits for a judge that is still loading when we start, and says so."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from grm_plugin.errors import EngineError

logger = logging.getLogger(__name__)
T = TypeVar("T")

_POLL_S = 1.0
_TELL_EVERY_S = 15.0
HOW_TO_START = "; start one with: vllm serve MODEL --port 8001"


class NotServing(EngineError):
    """No judge server answers yet; one that loads may do so later."""


async def until_served(ask: Callable[[], Awaitable[T]], limit_s: float, owner: str) -> T:
    """What ``ask`` gives, as soon as it gives something.

    Args:
        ask: raises NotServing while there is nobody to ask.
        limit_s: for how long it is asked again.
        owner: how messages call who waits, say ``engine 'server'``.

    Raises:
        NotServing: nobody answered in time.
        EngineError: somebody answered, and can not be our judge; at once.
    """
    started, told = time.monotonic(), -_TELL_EVERY_S
    while True:
        try:
            return await ask()
        except NotServing as error:
            waited_s = time.monotonic() - started
            if waited_s >= limit_s:
                raise
            if waited_s - told >= _TELL_EVERY_S:
                told = waited_s
                logger.warning("%s", _progress(owner, error, waited_s, limit_s))
            await asyncio.sleep(min(_POLL_S, limit_s - waited_s))


def _progress(owner: str, error: NotServing, waited_s: float, limit_s: float) -> str:
    until = datetime.now() + timedelta(seconds=limit_s - waited_s)
    return (
        f"{owner} waits for a judge, {waited_s:.0f} of {limit_s:g} s, until {until:%H:%M:%S} "
        f"(start_timeout_s): {error}"
    )
