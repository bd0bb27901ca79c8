"""What every call passes before the application sees it: name, key, room, and a bounded body."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from grm_plugin.errors import GRMError, on_one_line, quoted
from grm_plugin.serving.admission import Admission
from grm_plugin.serving.bodies import Message, Receive, has_body, read_body
from grm_plugin.serving.callers import Caller
from grm_plugin.serving.errors import Refused, status_of
from grm_plugin.serving.lifecycle import Lifecycle
from grm_plugin.serving.metrics import Metrics
from grm_plugin.serving.naming import check_host
from grm_plugin.serving.refusals import Refusals, headers_of
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.serving.tokens import Tokens

logger = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = frozenset({"/health"})
KNOWN_PATHS = frozenset(
    {"/health", "/metrics", "/get_reward", "/v1/score", "/openapi.json", "/docs"}
)
# A caller that is refused in the middle of a body reads the answer only when it may write on: what
# it sends is thrown away, for so long and so much, before the connection is closed.
_LINGER_S = 5.0
_UNANSWERED = 499
_UNKNOWN = "the server failed; its log says why beside this call's X-Request-ID"
_LINGER_BYTES = 1 << 28


class Guard:
    """ASGI middleware around the application; sets ``caller`` in the state of every call.

    Args:
        app: what it guards.
        settings: the limits.
        tokens: what ``Authorization: Bearer`` must say; none let everybody in.
        lifecycle: whether calls are taken.
        admission: bounds the calls and the bytes in flight.
        metrics: counts every call.
        refusals: told of calls that end here.
    """

    def __init__(
        self,
        app: App,
        *,
        settings: ServingSettings,
        tokens: Tokens,
        lifecycle: Lifecycle,
        admission: Admission,
        metrics: Metrics,
        refusals: Refusals,
    ) -> None:
        self._app, self._settings, self._tokens = app, settings, tokens
        self._lifecycle, self._admission = lifecycle, admission
        self._metrics, self._refusals = metrics, refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, path = time.monotonic(), known(scope["path"])
        caller = Caller.of(scope)
        answered = Answered(send, caller.request)
        try:
            caller = await self._guard(scope, receive, answered, caller)
        finally:
            self._metrics.count_call(
                path, str(answered.status), caller.token, time.monotonic() - started
            )

    async def _guard(
        self, scope: Scope, receive: Receive, send: Answered, caller: Caller
    ) -> Caller:
        """Serve the call or refuse it; returns who made it, now that its token is known."""
        with ExitStack() as leases:
            try:
                caller = self._let_in(scope, caller)
                scope.setdefault("state", {})["caller"] = caller
                again = await self._admit(scope, receive, caller, leases)
            except GRMError as error:
                leases.close()  # what is thrown away takes no room
                self._refusals.tell(known(scope["path"]), status_of(error), str(error), caller)
                await _answer(error, receive, send)
            else:
                if again is not None:
                    await self._serve(scope, again, send, caller)
        return caller

    async def _serve(self, scope: Scope, receive: Receive, send: Answered, caller: Caller) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # whatever it is, it costs this call and is told
            told = on_one_line(str(error)) or type(error).__name__
            logger.error("%s failed, %s: %s", known(scope["path"]), caller, told, exc_info=error)
            if send.status == _UNANSWERED:
                known_why = str(error) if isinstance(error, GRMError) else _UNKNOWN
                await _answer(Refused(500, known_why), receive, send)

    def _let_in(self, scope: Scope, caller: Caller) -> Caller:
        check_host(scope, self._settings.allowed_hosts)
        if scope["path"] not in OPEN_PATHS:
            name = self._tokens.name_of(scope["headers"])
            caller = replace(caller, name=name or caller.name, token=name)
        if scope["method"] != "POST" and has_body(scope["headers"]):
            raise Refused(400, f"expected no body with {quoted(scope['method'])}; use POST")
        return caller

    async def _admit(
        self, scope: Scope, receive: Receive, caller: Caller, leases: ExitStack
    ) -> Receive | None:
        """A ``receive`` that gives the whole body, then tells when the caller goes; None: gone."""
        if scope["method"] != "POST":
            return receive
        self._lifecycle.check()
        leases.enter_context(self._admission.calls.lease(caller.name, 1))
        held = leases.enter_context(self._admission.held_bytes.lease(caller.name))
        body = await read_body(self._settings, scope["headers"], receive, held)
        return None if body is None else _replay(body, receive)


class Answered:
    """``send`` that names the call in its answer and remembers the status."""

    def __init__(self, send: Send, request: str) -> None:
        self._send, self._request, self.status = send, request, _UNANSWERED

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            named = (b"x-request-id", self._request.encode())
            message = {**message, "headers": [*message.get("headers", ()), named]}
        await self._send(message)


def known(path: str) -> str:
    """``path`` as labels and logs may show it: callers can not make up new ones."""
    return path if path in KNOWN_PATHS else "other"


def _replay(body: bytes, receive: Receive) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return first.pop() if first else await receive()

    return receive_again


async def _answer(error: GRMError, receive: Receive, send: Send) -> None:
    status = status_of(error)
    body = json.dumps({"error": str(error)}).encode()
    headers = {
        **headers_of(status),
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
    }
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await _throw_away(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _throw_away(receive: Receive) -> None:
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        return
