"""Who makes a call, under which id, and whether it still waits for the answer."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request

T = TypeVar("T")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# What an id of a caller may be, so that it can stand in a log line and in a header.
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Who has an address of IPv6 has this much of it.
_IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes one call.

    Args:
        name: whose limits count: the name of its token, else its address.
        request: id of the call, in its answer and in log lines; what a caller sent in
            ``X-Request-ID`` when that is plain.
        token: name of its token, empty when it has none.
    """

    name: str
    request: str
    token: str = ""

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Caller:
        """Who makes the call of this ASGI scope, as far as its address and headers tell."""
        sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request = sent if _PLAIN_ID.fullmatch(sent) else uuid.uuid4().hex[:16]
        return cls(_name(scope.get("client")), request)

    def __str__(self) -> str:
        return f"request {self.request} of {self.name}"


def address_of(end: tuple[str, int | None] | None) -> Address | None:
    """The address of one end of a connection; None where it has none, as on a Unix socket."""
    try:
        address = ipaddress.ip_address(end[0] if end else "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _name(client: tuple[str, int] | None) -> str:
    address = address_of(client)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address or "local")


class CallerGone(Exception):
    """Nobody waits for the answer any more."""


async def while_there(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns; it is cancelled when the caller goes.

    Raises:
        CallerGone: the caller went first.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise CallerGone
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
