"""Why there is no connection to a judge server, and whether it is worth waiting for one."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp

from grm_plugin.errors import EngineError, RefusedError, quoted
from grm_plugin.remote.refusing.faults import Away, Fault, Nowhere

_HANDSHAKE_S = 5.0
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"}


def connection_fault(error: Exception, where: str) -> EngineError:
    """The error for an exchange that met no answer.

    Args:
        error: of aiohttp, or of the system.
        where: address and path.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or error.certificate_error
        return RefusedError(
            f"{where}: the server's certificate is not trusted: {quoted(reason, 200)}; name its "
            "authority in ca_file, or the host as the certificate does"
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _unknown_name(error, where)
    if isinstance(error, ssl.SSLError):
        return _no_tls(error, where)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Away(f"{where}: {_described(error)}")
    return Fault(f"{where}: {_described(error)}")


def _unknown_name(error: aiohttp.ClientConnectorDNSError, where: str) -> EngineError:
    host = quoted(error.host)
    if error.os_error.errno == socket.EAI_AGAIN:
        return Away(f"{where}: the name {host} can not be looked up now")
    return Nowhere(f"{where}: there is no host of the name {host}; is it spelt right in url?")


def _no_tls(error: ssl.SSLError, where: str) -> EngineError:
    reason = getattr(error, "os_error", error)
    name = getattr(reason, "reason", None) or ""
    if name in _NOT_TLS:
        return RefusedError(f"{where}: the server speaks plain http there; write http:// in url")
    return RefusedError(f"{where}: no TLS connection: {quoted(name or reason, 200)}")


def _described(error: Exception) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno:
        return os.strerror(error.errno).lower()
    return quoted(error) if str(error) else type(error).__name__


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
