"""JSON over HTTP to judge servers: bounded, retried where that can help, and never hanging."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import stamina

from grm_plugin.engine import Limits
from grm_plugin.errors import ContextError, EngineError, RequestTimeout, TransportError, quoted
from grm_plugin.remote.replicas import Replica, Router
from grm_plugin.remote.secret import Secret
from grm_plugin.remote.slots import Slots

_CONNECT_S = 10.0
_LONGEST_RETRY_AFTER_S = 30.0
_BUSY = 429
_OVER_CONTEXT = re.compile(r"context[ _](length|window|size)|max_model_len|too many tokens", re.I)


class Fault(TransportError):
    """A transport fault that another try may not meet.

    Args:
        message: what happened.
        retry_after_s: seconds the server asked for, if it did.
        healthy: the server lives and is only busy; this is not held against it.
    """

    def __init__(
        self, message: str, retry_after_s: float | None = None, healthy: bool = False
    ) -> None:
        super().__init__(message, retry_after_s, healthy)
        self.retry_after_s, self.healthy = retry_after_s, healthy

    def __str__(self) -> str:
        return str(self.args[0])


class NotFound(EngineError):
    """The server does not know this path (404, 405) or this model."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent: the JSON value, and wall seconds from sending to the last byte."""

    value: Any
    seconds: float


@dataclass(slots=True)
class _Trip:
    """One request on its way: where it is now, where it failed last, and why."""

    path: str
    body: Mapping[str, Any]
    group: str
    draws: int
    at: Replica | None = None
    failed_at: Replica | None = None
    fault: str = ""


class Client:
    """Posts to whichever replica the router names. Make it on the loop it will serve.

    Args:
        replicas: servers that give the same answers.
        limits: ``max_concurrent_samples`` counts draws in flight over all replicas;
            ``request_timeout_s`` bounds a request with all its tries, from its first sending;
            ``tries`` counts the first one.
        secret: the key of all replicas.
        max_bytes: longest answer, in bytes.
    """

    def __init__(
        self, replicas: Sequence[Replica], limits: Limits, secret: Secret, max_bytes: int
    ) -> None:
        self.router = Router(replicas)
        self._limits, self._secret, self._max_bytes = limits, secret, max_bytes
        self._slots = Slots(limits.max_concurrent_samples)
        self._session = aiohttp.ClientSession(
            # The slots are the limit. uvicorn drops a connection that was idle for 5 s: let go
            # first, or the first requests of a training step would run into closed connections.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3.0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            headers=secret.headers,
        )

    async def close(self) -> None:
        """Close all connections; open requests fail."""
        await self._session.close()

    async def post(
        self, path: str, body: Mapping[str, Any], *, group: str = "", draws: int = 1
    ) -> Answer:
        """Post ``body`` and return the JSON that came back.

        Args:
            path: such as ``/v1/chat/completions``.
            body: anything JSON.
            group: requests of one group go to one replica.
            draws: what it counts for the limit of draws in flight and for load.

        Raises:
            TransportError: no usable answer after all tries, or garbage (which is not retried).
            RequestTimeout: the deadline passed.
            ContextError: the prompt is too long for the judge.
            EngineError: the server refused the request.
        """
        trip = _Trip(path, body, group, draws)
        async with self._slots.hold(draws):
            try:
                async with asyncio.timeout(self._limits.request_timeout_s):
                    return await self._tries(trip)
            except TimeoutError:
                raise self._late(trip) from None

    async def get(self, replica: Replica, path: str) -> Any:
        """The JSON at ``path`` of one replica, in one try."""
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await self._exchange("GET", replica, path)
        except TimeoutError:
            raise RequestTimeout(f"{replica}{path}: no answer within {_CONNECT_S:g} s") from None

    async def _tries(self, trip: _Trip) -> Answer:
        try:
            retries = stamina.retry_context(_pause, attempts=self._limits.tries, timeout=None)
            async for attempt in retries:
                with attempt:
                    return await self._once(trip)
        except Fault as fault:
            raise TransportError(f"{fault} (gave up after {self._limits.tries} tries)") from fault
        raise AssertionError("a retry context ends with an answer or an error")

    async def _once(self, trip: _Trip) -> Answer:
        with self.router.lease(trip.group, trip.draws, avoid=trip.failed_at) as trip.at:
            replica, started = trip.at, time.monotonic()
            try:
                value = await self._exchange("POST", replica, trip.path, trip.body)
            except Fault as fault:
                trip.at, trip.failed_at, trip.fault = None, replica, str(fault)
                if not fault.healthy:
                    self.router.failed(replica)
                raise
            self.router.answered(replica)
            return Answer(value, time.monotonic() - started)

    def _late(self, trip: _Trip) -> RequestTimeout:
        limit = f"within {self._limits.request_timeout_s:g} s"
        if trip.at is None:
            return RequestTimeout(f"no answer {limit}; last: {trip.fault}")
        self.router.failed(trip.at)
        return RequestTimeout(f"{trip.at}{trip.path}: no answer {limit}; raise request_timeout_s")

    async def _exchange(
        self, method: str, replica: Replica, path: str, body: Mapping[str, Any] | None = None
    ) -> Any:
        where = f"{replica}{path}"
        try:
            async with self._session.request(
                method, replica.to(path), json=body, allow_redirects=False
            ) as response:
                content = await self._content(response, where)
        except (aiohttp.ClientError, OSError) as error:
            raise Fault(f"{where}: {_described(error)}") from error
        if response.status != 200:
            raise _refusal(response, self._secret.hide(_message(content)), where)
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            shown = self._secret.hide(content[:200].decode(errors="replace"))
            raise TransportError(f"{where}: expected JSON, got {quoted(shown)}") from None

    async def _content(self, response: aiohttp.ClientResponse, where: str) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > self._max_bytes:
                response.close()
                raise TransportError(
                    f"{where}: the answer is over {self._max_bytes} bytes; lower max_tokens, or "
                    "raise max_response_bytes"
                )
        return bytes(content)


def _pause(error: Exception) -> bool | float:
    """Whether to try again, and after how many seconds where the server named them."""
    if not isinstance(error, Fault):
        return False
    return True if error.retry_after_s is None else error.retry_after_s


def _described(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno:
        return os.strerror(error.errno).lower()
    return quoted(error) if str(error) else type(error).__name__


def _refusal(
    response: aiohttp.ClientResponse, message: str, where: str
) -> EngineError | ContextError:
    status = response.status
    said = f"{where}: HTTP {status}: {quoted(message, 300)}"
    if status in (408, _BUSY) or status >= 500:
        return Fault(said, _retry_after(response.headers.get("Retry-After")), status == _BUSY)
    if status in (400, 413, 422) and _OVER_CONTEXT.search(message):
        return ContextError(said)
    if status in (401, 403):
        return EngineError(f"{said}; name the variable with the key in api_key_env")
    return NotFound(said) if status in (404, 405) else EngineError(said)


def _retry_after(header: str | None) -> float | None:
    """Seconds from a ``Retry-After`` header, a number or a date, within reason."""
    if header is None:
        return None
    try:
        seconds = float(header) if header.strip().isdigit() else _seconds_until(header)
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_S)


def _seconds_until(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() - time.time()


def _message(content: bytes) -> str:
    """What a server says is wrong, wherever it puts it."""
    text = content.decode(errors="replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    return found if isinstance(found, str) else json.dumps(found)
