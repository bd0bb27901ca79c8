"""JSON over HTTP to judge servers: bounded, retried where that can help, and never hanging."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import stamina

from grm_plugin.engine import Limits
from grm_plugin.errors import RequestTimeout, TransportError, quoted
from grm_plugin.remote.access import Access
from grm_plugin.remote.refusals import Fault, message_of, refusal
from grm_plugin.remote.replicas import Replica, Router
from grm_plugin.remote.slots import Slots
from grm_plugin.remote.wire import json_value

_CONNECT_S = 10.0


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
        access: how requests get to the replicas and in.
        max_bytes: longest answer, in bytes.
    """

    def __init__(
        self, replicas: Sequence[Replica], limits: Limits, access: Access, max_bytes: int
    ) -> None:
        self.router = Router(replicas)
        self._limits, self._access, self._max_bytes = limits, access, max_bytes
        self._hiding = access.hiding()
        self._slots = Slots(limits.max_concurrent_samples)
        self._session = aiohttp.ClientSession(
            # The slots are the limit. uvicorn drops a connection that was idle for 5 s: let go
            # first, or the first requests of a training step would run into closed connections.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3.0, ssl=access.trust()),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            headers=access.headers,
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
                method,
                replica.to(path),
                json=body,
                params=self._access.query,
                proxy=self._access.proxy_for(replica.to(path)),
                allow_redirects=False,
            ) as response:
                content = await self._content(response, where)
        except (aiohttp.ClientError, OSError) as error:
            raise Fault(self._hiding.text(f"{where}: {_described(error)}")) from error
        if response.status != 200:
            raise refusal(response, message_of(content), where)
        try:
            return json_value(content)
        except ValueError:
            shown = content[:200].decode(errors="replace")
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
        return self._hiding.content(bytes(content))


def _pause(error: Exception) -> bool | float:
    """Whether to try again, and after how many seconds where the server named them."""
    if not isinstance(error, Fault):
        return False
    return True if error.retry_after_s is None else error.retry_after_s


def _described(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno:
        return os.strerror(error.errno).lower()
    return quoted(error) if str(error) else type(error).__name__
