"""Connections of the server: how many, and how long one may keep it waiting.

uvicorn waits for ever for the head of a call, and for a caller to read its answer. Its parser in
Python is used, whatever else is installed, so that every installation refuses the same calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from grm_plugin.serving.callers import Caller
from grm_plugin.serving.refusals import Refusals
from grm_plugin.serving.settings import ServingSettings

_SPARE_FILES = 512


class Connection(H11Protocol):
    """uvicorn's connection, bounded in number and in time; for an app of ``create_app``."""

    def __init__(self, config: Any, *arguments: Any, **more: Any) -> None:
        super().__init__(config, *arguments, **more)
        service = config.app.state.service
        self._settings: ServingSettings = service.settings
        self._refusals: Refusals = service.refusals
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        most = self._settings.max_connections
        if len(self.connections) > most:
            self._refuse(503, f"{most} connections are open; ask again later")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self._stop_read_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_head_timer()
        elif self._head_timer is None and not self.transport.is_closing():
            self._await_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_read_timer()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._await_reader()  # closing waits until the last answer is read

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "expected an HTTP request with a head of at most 16 kB, got another")

    def _await_head(self) -> None:
        limit_s = self._settings.header_timeout_s
        told = f"the head of the call did not arrive within {limit_s:g} s"
        self._head_timer = self.loop.call_later(limit_s, self._refuse, 408, told)

    def _await_reader(self) -> None:
        self._stop_read_timer()
        limit_s = self._settings.answer_timeout_s
        self._read_timer = self.loop.call_later(limit_s, self.transport.abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _refuse(self, status: int, why: str) -> None:
        """Answer a call that never became one, and close."""
        caller = Caller.of({"client": self.client, "headers": ()})
        self._refusals.tell("connection", status, why, caller)
        body = json.dumps({"error": why}).encode()
        headers = [
            (b"x-request-id", caller.request.encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        head = h11.Response(status_code=status, headers=headers)
        with contextlib.suppress(h11.LocalProtocolError):  # an answer is on its way already
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event))
        self.transport.close()
        self._await_reader()


def allow_open_files(connections: int) -> None:
    """Let this process have so many connections, as far as the system allows it."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
