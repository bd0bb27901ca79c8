"""Why there is no connection to a judge server, and whether it is worth waiting for one."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp

from grm_plugin.errors import EngineError, RefusedError, quoted
from grm_plugin.remote.refusing.faults import Away, Fault, NoProxy, Nowhere
from grm_plugin.remote.refusing.refusals import PROXY_LOGIN

_HANDSHAKE_S = 5.0
_SETTING = {"server": "url", "proxy": "proxy, or in HTTPS_PROXY or HTTP_PROXY"}
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"}


def connection_fault(
    error: Exception, where: str, proxy: str | None = None, hide: Callable[[str], str] = str
) -> EngineError:
    """The error for an exchange that met no answer.

    Args:
        error: of aiohttp, or of the system.
        where: address and path.
        proxy: URL of the one that was asked; it is not shown.
        hide: takes keys out of what is told.
    """
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _no_way_through(error, where, hide)
    party = "proxy" if _is_of(error, proxy) else "server"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or error.certificate_error
        return RefusedError(
            f"{where}: the {party}'s certificate is not trusted: "
            f"{quoted(hide(str(reason)), 200)}; name its authority in ca_file, or the host as the "
            "certificate does"
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _unknown_name(error, where, party)
    if isinstance(error, ssl.SSLError):
        return _no_tls(error, where, party)
    if party == "proxy":
        return NoProxy(f"{where}: no connection to the proxy: {_described(error, hide)}")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Away(f"{where}: {_described(error, hide)}")
    return Fault(f"{where}: {_described(error, hide)}")


def _is_of(error: Exception, proxy: str | None) -> bool:
    """Whether it is the proxy that there is no connection to."""
    return proxy is not None and getattr(error, "host", None) == urlsplit(proxy).hostname


def _no_way_through(
    error: aiohttp.ClientHttpProxyError, where: str, hide: Callable[[str], str]
) -> EngineError:
    said = f"{where}: the proxy says HTTP {error.status}: {quoted(hide(error.message), 200)}"
    if error.status == 407:
        return RefusedError(f"{said}; {PROXY_LOGIN}")
    if 400 <= error.status < 500 and error.status not in (408, 429):
        return RefusedError(f"{said}; name another in proxy, or set it to none to ask without one")
    return NoProxy(said)


def _unknown_name(error: aiohttp.ClientConnectorDNSError, where: str, party: str) -> EngineError:
    host = quoted(error.host)
    if error.os_error.errno == socket.EAI_AGAIN:
        return Away(f"{where}: the name {host} can not be looked up now")
    return Nowhere(
        f"{where}: there is no host of the name {host}; is it spelt right in {_SETTING[party]}?"
    )


def _no_tls(error: ssl.SSLError, where: str, party: str) -> EngineError:
    reason = getattr(error, "os_error", error)
    name = getattr(reason, "reason", None) or ""
    if name in _NOT_TLS:
        return RefusedError(
            f"{where}: the {party} speaks plain http there; write http:// in {_SETTING[party]}"
        )
    return RefusedError(f"{where}: no TLS connection: {quoted(name or reason, 200)}")


def _described(error: Exception, hide: Callable[[str], str]) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno:
        return os.strerror(error.errno).lower()
    # the words of a ClientResponseError hold the URL, with its query
    told = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return quoted(hide(told)) if told else type(error).__name__


async def speaks_tls(url: str) -> bool:
    """Whether a server that drops plain http would take https at the same address."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return False
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_HANDSHAKE_S):
            port = parts.port or 80
            _, writer = await asyncio.open_connection(parts.hostname, port, ssl=trusting)
            writer.close()
            return True
    return False
