"""One question and one answer over HTTP: JSON both ways, bounded, and without keys in what came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from multidict import CIMultiDict

from grm_plugin.errors import ContextError, EngineError, TransportError, quoted
from grm_plugin.remote.access import Access
from grm_plugin.remote.addresses import place_of
from grm_plugin.remote.refusing.connecting import connection_fault
from grm_plugin.remote.refusing.refusals import refusal
from grm_plugin.remote.replicas import Replica
from grm_plugin.remote.wire import json_value

CONNECT_S = 10.0


class Exchange:
    """Sends requests and reads answers. Make it on the loop it will serve.

    Args:
        access: how requests get to the servers and in.
        max_bytes: longest answer, in bytes.
    """

    def __init__(self, access: Access, max_bytes: int) -> None:
        self._access, self._max_bytes = access, max_bytes
        self._hiding = access.hiding()
        self._session = aiohttp.ClientSession(
            # The slots are the limit. uvicorn drops a connection that was idle for 5 s: let go
            # first, or the first requests of a training step would run into closed connections.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3.0, ssl=access.trust()),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            headers=access.headers,
        )

    async def close(self) -> None:
        """Close all connections; open requests fail."""
        await self._session.close()

    async def send(
        self, method: str, replica: Replica, path: str, body: Mapping[str, Any] | None = None
    ) -> Any:
        """The JSON that ``replica`` answers at ``path``, in one try.

        Raises:
            TransportError: no connection, a passing fault, no JSON, or too much of it.
            RefusedError: the server, or the way to it, takes no request like this one.
            EngineError: the server refused this request.
            ContextError: the prompt is too long for the judge.
        """
        url, query = replica.to(path), self._access.query
        proxy = self._access.proxy_for(url)
        where = f"{replica}{path}" + (f" by the proxy {place_of(proxy)}" if proxy else "")
        try:
            async with self._session.request(
                method, url, json=body, params=query, proxy=proxy, allow_redirects=False
            ) as response:
                content = await self._content(response, where)
        except (aiohttp.ClientError, OSError) as error:
            # not `from error`: aiohttp's words hold the URL with its query, or the proxy's login
            raise connection_fault(error, where, proxy, self._hiding.text) from None
        if response.status != 200:
            raise self._refusal(response.status, response.headers, content, where)
        try:
            value = json_value(content)
        except ValueError:
            shown = content[:200].decode(errors="replace")
            raise TransportError(f"{where}: expected JSON, got {quoted(shown)}") from None
        if status := _failed_inside(value):
            raise self._refusal(status, response.headers, content, where)
        return value

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

    def _refusal(
        self, status: int, headers: Mapping[str, str], content: bytes, where: str
    ) -> EngineError | ContextError:
        told = {name: self._hiding.text(value) for name, value in headers.items()}
        said = content.decode(errors="replace")
        return refusal(status, CIMultiDict(told), said, where)


def _failed_inside(value: Any) -> int | None:
    """The status in an answer of status 200 that is none, as routers send it for who failed."""
    error = value.get("error") if isinstance(value, Mapping) else None
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, int) and 400 <= code < 600 and "choices" not in value else None
