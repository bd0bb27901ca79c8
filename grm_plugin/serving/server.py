"""Runs the reward server with uvicorn: one process, one event loop, and an orderly end."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from grm_plugin.errors import ConfigError
from grm_plugin.serving.app import Service
from grm_plugin.serving.connections import Connection, allow_open_files

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_BACKLOG = 4096


def check_host(host: str, *, has_token: bool, open_to_all: bool) -> None:
    """Refuse to listen beyond this machine without a token.

    Raises:
        ConfigError: says what to do.
    """
    if host not in _LOOPBACK and not has_token and not open_to_all:
        raise ConfigError(
            f"host: expected a loopback address, since there is no token, got {host!r}; name one "
            "with --token-env or --token-file, or let everybody in with --no-token"
        )


def serve(app: FastAPI, *, host: str, port: int, say: Callable[[str], None]) -> int:
    """Serve ``app`` until SIGTERM or SIGINT, then answer what is in flight and return.

    New calls get 503 meanwhile. A second signal ends it at once.

    Args:
        app: from :func:`grm_plugin.serving.app.create_app`.
        host: address to listen on.
        port: 0 takes a free one.
        say: shows a line: the address, once calls are taken or refused there, and that the judge is
            ready.

    Returns:
        The number of the signal.

    Raises:
        ConfigError: the address can not be listened on.
        GRMError: the judge could not be started.
    """
    service: Service = app.state.service
    allow_open_files(service.settings.max_connections)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Connection,
        ws="none",
        log_config=None,  # as all others log
        log_level="error",
        access_log=False,
        proxy_headers=False,  # anybody can send them
        backlog=_BACKLOG,
        timeout_keep_alive=math.ceil(service.settings.keep_alive_s),
        timeout_graceful_shutdown=1,  # what is in flight was waited for before
    )
    server = _Server(config, service, say)
    try:
        server.run()
    except SystemExit as end:  # uvicorn's way to say that it can not start
        raise ConfigError(f"can not listen on {host}:{port}; is the port taken?") from end
    if service.lifecycle.error is not None and not service.lifecycle.started:
        raise service.lifecycle.error
    return server.signal


class _Server(uvicorn.Server):
    """uvicorn closes its sockets at the first signal; this one answers 503 until it is done."""

    def __init__(
        self, config: uvicorn.Config, service: Service, say: Callable[[str], None]
    ) -> None:
        super().__init__(config)
        self.service, self.signal = service, 0
        self._say = say
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        self._say(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}")
        self._tasks.append(asyncio.create_task(self._watch_start()))
        await super().main_loop()

    async def _watch_start(self) -> None:
        started = time.monotonic()
        await self.service.started.wait()
        if self.service.lifecycle.error is not None:
            self.should_exit = True
        else:
            self._say(f"ready after {time.monotonic() - started:.1f} s")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.signal or self._loop is None:
            self.should_exit = self.force_exit = True
        else:
            self._loop.call_soon_threadsafe(self._begin_drain)
        self.signal = self.signal or sig

    def _begin_drain(self) -> None:
        self._tasks.append(asyncio.create_task(self._drain()))

    async def _drain(self) -> None:
        await self.service.drain()
        self.should_exit = True
