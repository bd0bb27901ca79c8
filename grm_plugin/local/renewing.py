"""Weights that change while they are in use: whoever asks gets one version, and never two."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from grm_plugin.errors import EngineError

logger = logging.getLogger(__name__)


class Renewing:
    """Lets users in together, and a new version when all of them are out.

    A version that can not be loaded is told once and passed over; the one before stays in use.

    Args:
        link: to the folder of the newest version.
        load: takes in the weights of another version from its folder, in a thread.
        owner: how messages call the model.
    """

    def __init__(self, link: Path, load: Callable[[Path], None], owner: str) -> None:
        self._link, self._load, self._owner = link, load, owner
        self._seen = Path()
        self._loading: asyncio.Task[None] | None = None
        self._users, self._out = 0, asyncio.Event()
        self._out.set()

    def begin(self) -> Path:
        """The folder of the newest version, which the caller loads.

        Raises:
            EngineError: the link is none.
        """
        if not self._link.is_symlink():
            raise EngineError(
                f"{self._owner}: reload: expected a link to the newest version, such as "
                f"`grm train refresh` keeps at OUT/current, got {str(self._link)!r}; name it as "
                "model, or leave reload out"
            )
        self._seen = self._link.resolve()
        return self._seen

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """No version comes in here; a newer one comes in before."""
        await self._renewed()
        self._users += 1  # nothing is awaited between that look and this
        self._out.clear()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._out.set()

    async def _renewed(self) -> None:
        """Wait until the newest version is in; a newer one may come while another is loaded."""
        while loading := self._newer():
            await asyncio.shield(loading)  # others wait for it, too

    def _newer(self) -> asyncio.Task[None] | None:
        """The version that is being loaded; None where the newest is in."""
        if self._loading is None and (found := self._link.resolve()) != self._seen:
            self._loading = asyncio.create_task(self._renew(found))
        return self._loading

    async def _renew(self, folder: Path) -> None:
        self._seen = folder
        try:
            await self._out.wait()
            await asyncio.to_thread(self._load, folder)
            logger.info("%s: %s is in use", self._owner, folder.name)
        except EngineError as error:
            logger.warning("%s; the version before stays in use", error)
        finally:
            self._loading = None

    async def close(self) -> None:
        """Give up a version that is being loaded."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)
