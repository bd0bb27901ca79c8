"""What every call passes before the application sees it: key, room, and a whole, bounded body."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from grm_plugin.remote.secret import Secret
from grm_plugin.serving.errors import Unavailable
from grm_plugin.serving.lifecycle import Calls, Lifecycle
from grm_plugin.serving.metrics import Metrics
from grm_plugin.serving.refusals import Refusals
from grm_plugin.serving.settings import ServingSettings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

RETRY_AFTER_S = 1
OPEN_PATHS = frozenset({"/health"})
KNOWN_PATHS = frozenset(
    {"/health", "/metrics", "/get_reward", "/v1/score", "/openapi.json", "/docs"}
)
# A caller that is refused in the middle of a body reads the answer only when it may write on: what
# it sends is thrown away, for so long and so much, before the connection is closed.
_LINGER_S = 5.0
_LINGER_BYTES = 1 << 28


class Refused(Exception):
    """A call ends here with this HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status, self.message = status, message


class Guard:
    """ASGI middleware around the application.

    Args:
        app: what it guards.
        settings: the limits.
        secret: what ``Authorization: Bearer`` must say; empty lets everybody in.
        lifecycle: whether calls are taken.
        calls: counts and bounds the calls in flight.
        metrics: counts every call.
        refusals: told of calls that end here.
    """

    def __init__(
        self,
        app: App,
        *,
        settings: ServingSettings,
        secret: Secret,
        lifecycle: Lifecycle,
        calls: Calls,
        metrics: Metrics,
        refusals: Refusals,
    ) -> None:
        self._refusals = refusals
        self._app, self._settings, self._secret = app, settings, secret
        self._lifecycle, self._calls, self._metrics = lifecycle, calls, metrics

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = known(scope["path"])
        started, answered = time.monotonic(), _Answered(send)
        try:
            await self._guard(scope, receive, answered)
        finally:
            self._metrics.calls.labels(path, str(answered.status)).inc()
            self._metrics.call_seconds.labels(path).observe(time.monotonic() - started)

    async def _guard(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            self._check_key(scope["path"], headers)
            if scope["method"] != "POST":
                await self._app(scope, receive, send)
                return
            self._check_ready()
            if not self._calls.begin():
                raise Refused(429, f"{self._calls.most} calls are in flight; ask again later")
        except Refused as refused:
            await self._refuse(refused, scope, receive, send)
            return
        try:
            body = await self._body(headers, receive)
        except Refused as refused:
            await self._refuse(refused, scope, receive, send)
        else:
            if body is not None:
                await self._app(scope, _replay(body, receive), send)
        finally:
            self._calls.end()

    async def _refuse(
        self, refused: Refused, scope: Mapping[str, Any], receive: Receive, send: Send
    ) -> None:
        self._refusals.tell(known(scope["path"]), refused.status, refused.message)
        await _answer(refused, receive, send)

    def _check_key(self, path: str, headers: Mapping[bytes, bytes]) -> None:
        if not self._secret.value or path in OPEN_PATHS:
            return
        expected = f"Bearer {self._secret.value}".encode()
        if not hmac.compare_digest(headers.get(b"authorization", b""), expected):
            raise Refused(401, "expected the header Authorization: Bearer with this server's token")

    def _check_ready(self) -> None:
        try:
            self._lifecycle.check()
        except Unavailable as error:
            raise Refused(503, str(error)) from None

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes | None:
        """The whole body; None when the caller has gone."""
        most = self._settings.max_body_bytes
        told = headers.get(b"content-length", b"0")
        if not told.isdigit() or int(told) > most:
            raise Refused(413, _too_large(most))
        body = bytearray()
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > most:
                        raise Refused(413, _too_large(most))
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            limit = f"{self._settings.body_timeout_s:g} s"
            raise Refused(408, f"the body did not arrive within {limit}") from None


class _Answered:
    """``send`` that remembers the status; 499 means that nothing was answered."""

    def __init__(self, send: Send) -> None:
        self._send, self.status = send, 499

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def known(path: str) -> str:
    """``path`` as labels and logs may show it: callers can not make up new ones."""
    return path if path in KNOWN_PATHS else "other"


def _too_large(most: int) -> str:
    return f"expected a body of at most {most} bytes, got more; send fewer groups in one call"


def _replay(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives ``body`` first; then it tells when the caller goes."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return first.pop() if first else await receive()

    return receive_again


async def _answer(refused: Refused, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if refused.status in (429, 503):
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    body = json.dumps({"error": refused.message}).encode()
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
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
