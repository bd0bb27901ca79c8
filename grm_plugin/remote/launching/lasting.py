"""A judge server of our own that is started again when it ends by itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from grm_plugin.errors import EngineError
from grm_plugin.remote.launching.launch import ServerProcess
from grm_plugin.remote.secret import Secret

logger = logging.getLogger(__name__)

_POLL_S = 0.5
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Before each start in a row; one more than a prompt that crashes the server has tries."""
_WELL_S = 600.0  # a server that ran for so long is well, and what was before is forgotten


class LastingServer:
    """A server that is there from ``start`` to ``close``, at the address it had first.

    When it ends by itself it is started again, and whoever asks waits as for any absent server. One
    that ends soon after each of several starts is lost.

    Args:
        process: the server.
        moved: told its address whenever it is healthy, and nothing when it has ended.
    """

    def __init__(self, process: ServerProcess, moved: Callable[[str], None] | None = None) -> None:
        self._process, self._moved = process, moved or (lambda url: None)
        self._keeping: asyncio.Task[None] | None = None
        self._over, self._why, self._lost = False, "", ""

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def secret(self) -> Secret:
        """The key that the server asks for."""
        return self._process.secret

    async def start(self) -> str:
        """Its address, once it is healthy.

        Raises:
            EngineError: as :meth:`ServerProcess.start`.
        """
        url = await self._process.start()
        self._moved(url)
        self._keeping = asyncio.create_task(self._keep())
        return url

    def loss(self) -> str:
        """Why there will be no server any more; empty while there is one, or will be."""
        return self._lost

    async def _keep(self) -> None:
        starts, since = 0, time.monotonic()
        while not (self._over or self._lost):
            await asyncio.sleep(_POLL_S)
            if self._over or not self._process.ended:
                continue
            self._why = await asyncio.to_thread(self._process.loss) or self._why
            self._moved("")
            starts = 0 if time.monotonic() - since >= _WELL_S else starts
            if starts < len(PAUSES_S):
                logger.warning("%s; it is started again", self._why)
                await asyncio.sleep(PAUSES_S[starts])
                await self._start_again()
                starts, since = starts + 1, time.monotonic()
            else:
                self._lost = f"started again {starts} times, it ended soon each time: {self._why}"
                logger.error("%s", self._lost)

    async def _start_again(self) -> None:
        if self._over:
            return
        try:
            await self._process.close()
            self._moved(await self._process.start())
        except (EngineError, OSError) as error:  # OSError: no memory for a process, a full disk
            self._why = str(error)
            await self._process.close()
        if self._over:  # abandoned by another thread, meanwhile
            self._process.abandon()

    async def close(self) -> None:
        """End the server and its children and wait until they are gone; may be called twice."""
        self._over = True
        if self._keeping and not self._keeping.done():
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        await self._process.close()

    def abandon(self) -> None:
        """End the server and its children at once, from any thread; no event loop is needed."""
        self._over = True
        self._process.abandon()
