"""Waits until a server is healthy."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import aiohttp

from grm_plugin.errors import EngineError

logger = logging.getLogger(__name__)

_POLL_S = 0.25
_ASKED_S = aiohttp.ClientTimeout(total=5)
PROGRESS_S = 15.0
"""How often it is told that a server still loads."""


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether a GET of ``url`` succeeds."""
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
        return False


async def until_healthy(url: str, name: str, timeout_s: float, why_not: Callable[[], str]) -> None:
    """Return once a GET of ``url`` succeeds; tell from time to time that it is waited for.

    Args:
        url: where the server tells its health.
        name: what it serves, for the log.
        timeout_s: seconds to wait at most.
        why_not: asked between two tries; what it says ends the waiting.

    Raises:
        EngineError: with what ``why_not`` said.
        TimeoutError: it took too long.
    """
    started = told = time.monotonic()
    async with aiohttp.ClientSession(timeout=_ASKED_S) as session:
        while not await answers(session, url):
            if reason := why_not():
                raise EngineError(reason)
            now = time.monotonic()
            if now - started > timeout_s:
                raise TimeoutError
            if now - told > PROGRESS_S:
                told = now
                logger.info("%s is loading: %.0f s", name, now - started)
            await asyncio.sleep(_POLL_S)
    logger.info("%s is served after %.0f s", name, time.monotonic() - started)
