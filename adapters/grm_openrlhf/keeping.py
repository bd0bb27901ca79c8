"""Keeps one server running: starts it again when it died or no longer answers."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time

import aiohttp

from grm_plugin.errors import EngineError
from grm_plugin.remote.launching.health import answers
from grm_plugin.remote.launching.launch import ServerProcess

logger = logging.getLogger(__name__)

_POLL_S = 2.0
_HEALTH = aiohttp.ClientTimeout(total=10)
_SICK_POLLS = 30  # health checks in a row that fail before a living server is started again
_PAUSES_S = (1.0, 5.0, 30.0)  # before the first, the second and every later try


class KeptServer:
    """A server that runs from ``start`` to ``stop``, at the address it had first.

    Args:
        process: the server, with a port that is given.
    """

    def __init__(self, process: ServerProcess) -> None:
        self._process = process
        self._keeper: asyncio.Task[None] | None = None
        self._url, self._life = "", ""

    async def start(self) -> str:
        """Its address, once it is healthy.

        Raises:
            EngineError: it did not start.
        """
        self._url, self._life = await self._process.start(), _another()
        self._keeper = asyncio.create_task(self._keep(self._url))
        return self._url

    async def restart(self, within_s: float) -> str:
        """Its address, once it is healthy, however many tries that takes.

        Args:
            within_s: no try begins later.

        Raises:
            EngineError: none of them was enough.
        """
        self._url = await self._revive(within_s)
        self._keeper = asyncio.create_task(self._keep(self._url))
        return self._url

    async def life(self) -> str:
        """A name for the server as it is healthy now; a server started again has another one.

        Empty while there is none: before the first start, and while it is away or loads.
        """
        if not self._url:
            return ""
        async with aiohttp.ClientSession(timeout=_HEALTH) as session:
            return self._life if await answers(session, f"{self._url}/health") else ""

    async def stop(self) -> None:
        """End the server and its children; may be called twice."""
        if self._keeper:
            self._keeper.cancel()
        await self._process.close()

    async def _keep(self, url: str) -> None:
        while True:
            why = await self._until_lost(f"{url}/health")
            logger.warning("judge server %s %s; it is started again", url, why)
            await self._revive()

    async def _until_lost(self, health: str) -> str:
        """Why the server has to be started again, once that is so."""
        sick = 0
        async with aiohttp.ClientSession(timeout=_HEALTH) as session:
            while sick < _SICK_POLLS:
                await asyncio.sleep(_POLL_S)
                if self._process.ended:
                    return "has ended"
                sick = 0 if await answers(session, health) else sick + 1
        return f"failed {_SICK_POLLS} health checks in a row"

    async def _revive(self, within_s: float = math.inf) -> str:
        tries, until = 0, time.monotonic() + within_s
        while True:
            try:
                await self._process.close()
                await asyncio.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
                self._life = _another()  # before it is healthy: nobody may take it for the last one
                return await self._process.start()
            except (EngineError, OSError) as error:  # OSError: no memory for a process, a full disk
                tries += 1
                logger.warning("%s", error)
                if time.monotonic() > until:
                    raise EngineError(
                        f"judge server: not healthy again after {tries} tries in {within_s:g} s, "
                        f"the last: {error}; raise serve.start_timeout_s if it needs longer"
                    ) from error


def _another() -> str:
    return secrets.token_hex(8)
