"""The judge behind servers that the launcher keeps running: one that is lost is waited for."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from grm_openrlhf.options import SERVERS
from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.engines.server import ServerEngine, ServerOptions
from grm_plugin.errors import EngineError, RequestTimeout, TransportError
from grm_plugin.options import read_options
from grm_plugin.types import Message

if TYPE_CHECKING:
    from grm_openrlhf.servers import Keepers

logger = logging.getLogger(__name__)

_OWNER = f"engine {SERVERS!r}"
_AWAY = "no judge server is up"
_ASKED = "no judge server has said yet that it is up"
_POLL_S = 1.0
_SENDINGS = 3  # of one request, which may be what ends the servers
Draws = Sequence[Draw | EngineError]


class PatientOptions(ServerOptions):
    """Options of the engine: those of ``server``, and what the launcher knows.

    Args:
        replicas: servers that it keeps running.
        start_s: seconds in which all of them have to tell their addresses, and one to be healthy.
    """

    replicas: int = Field(1, ge=1)
    start_s: float = Field(600.0, gt=0)


class PatientEngine:
    """The engine ``server`` for judge servers of the launcher.

    A request that failed while its server was away is no failed request: it waits until a server
    is healthy again, and is sent again, up to the deadline of its group.

    Args:
        options: see :class:`PatientOptions`.
        limits: as of the engine ``server``.

    Raises:
        ConfigError: an option is unknown or wrong.
    """

    Options = PatientOptions

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self._options = read_options(PatientOptions, _OWNER, options)
        own = {"replicas", "start_s"}
        self._theirs = {name: value for name, value in options.items() if name not in own}
        self._limits = limits
        self._server: ServerEngine | None = None
        self._watch: Watch | None = None
        self.model = self._options.model or ""
        self.context_tokens: int | None = None
        self.control_tokens: Sequence[str] = ()

    async def start(self) -> None:
        """Find the servers, and wait until one of them is healthy.

        Raises:
            EngineError: the launcher keeps none, one does not tell its address, or none is healthy
                in time.
        """
        until = asyncio.get_running_loop().time() + self._options.start_s
        keepers = _found(self._options.replicas)
        urls = await keepers.urls(self._options.start_s)
        self._watch = Watch(keepers)
        await self._first_up(self._watch, until)
        server = ServerEngine({**self._theirs, "urls": urls}, self._limits)
        await server.start()
        self.model, self.context_tokens = server.model, server.context_tokens
        self.control_tokens = server.control_tokens
        self._server = server

    async def _first_up(self, watch: Watch, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await watch.until_up()
        except TimeoutError:
            trouble = watch.trouble
            watch.close()
            raise EngineError(
                f"{_OWNER}: {trouble} within {self._options.start_s:g} s; see the logs of the "
                "judge servers, or raise group_timeout_s if they need longer"
            ) from None

    async def sample(self, request: SampleRequest) -> Draws:
        """Draw ``request.n`` completions; see :meth:`ServerEngine.sample`.

        Raises:
            EngineError: as there, and not because a server was away.
        """
        server, watch = self._running()
        lives = watch.lives
        draws = await _drawn(server, request)
        for _ in range(_SENDINGS - 1):
            if not any(map(_is_lost, draws)):
                break
            up = await watch.until_up()
            if up == lives:  # they were there all the time
                break
            lives, again = up, await _drawn(server, request)
            draws = [new if _is_lost(old) else old for old, new in zip(draws, again, strict=True)]
        return draws

    @property
    def trouble(self) -> str:
        """Why requests wait now; empty when they do not."""
        if self._watch and self._watch.trouble:
            return self._watch.trouble
        return self._server.trouble if self._server else ""

    @property
    def most_draws(self) -> float:
        """Draws that one request to a server brings, as far as is known."""
        return self._server.most_draws if self._server else math.inf

    @property
    def altered(self) -> Mapping[str, Any]:
        """What the judge does not get as it was asked for."""
        return self._server.altered if self._server else {}

    async def turn(self) -> None:
        """Return when the servers can take the requests of another group."""
        server, _ = self._running()
        await server.turn()

    def _running(self) -> tuple[ServerEngine, Watch]:
        if self._server is None or self._watch is None:
            raise EngineError(f"{_OWNER} is not running; start it first")
        return self._server, self._watch

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        """Prompt tokens of ``messages``; None when the servers do not tell."""
        server, _ = self._running()
        return await server.count_tokens(messages)

    async def check(self) -> None:
        """Ask the servers for a sign of life.

        Raises:
            EngineError: none of them gives one.
        """
        server, _ = self._running()
        await server.check()

    async def close(self) -> None:
        """Close the connections; the servers are the launcher's."""
        if self._watch:
            self._watch.close()
        server, self._server = self._server, None
        if server:
            await server.close()


class Watch:
    """What the keepers say about their servers, asked once for all who wait.

    Args:
        keepers: of the servers.

    ``trouble`` says why those wait who wait now; it is empty when nobody does.
    """

    def __init__(self, keepers: Keepers) -> None:
        self._keepers = keepers
        self._asking: asyncio.Task[None] | None = None
        self.lives: tuple[str, ...] = ()
        self.trouble = ""

    async def until_up(self) -> tuple[str, ...]:
        """A name for every server as it lives now, once one of them is healthy."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)
        return self.lives

    async def _ask(self) -> None:
        self.trouble = _ASKED
        lives = await self._keepers.lives()
        if not any(lives):
            self.trouble = _AWAY
            logger.warning("%s; requests wait until one is healthy again", _AWAY)
            while not any(lives):
                await asyncio.sleep(_POLL_S)
                lives = await self._keepers.lives()
            logger.warning("a judge server is up again")
        self.lives, self.trouble = lives, ""

    def close(self) -> None:
        """Ask no more."""
        if self._asking:
            self._asking.cancel()


async def _drawn(server: ServerEngine, request: SampleRequest) -> Draws:
    try:
        return await server.sample(request)
    except (TransportError, RequestTimeout) as error:
        return [error] * request.n


def _is_lost(draw: Draw | EngineError) -> bool:
    return isinstance(draw, TransportError | RequestTimeout)


def _found(replicas: int) -> Keepers:
    try:
        from grm_openrlhf.servers import Keepers

        return Keepers(replicas)
    except (ImportError, ValueError, RuntimeError) as error:
        raise EngineError(
            f"{_OWNER} is for the rollout actors of python -m grm_openrlhf.train_ppo_ray with "
            f"engine: {{serve: ...}}, and there are no servers of a launcher here ({error})"
        ) from error
