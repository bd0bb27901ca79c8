"""Under which names the server may be called: a page in a browser can give its own to 127.0.0.1."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin.errors import quoted
from grm_plugin.serving.callers import address_of
from grm_plugin.serving.errors import Refused


def check_host(scope: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Refuse a call whose Host header names another server.

    A connection to this machine's own address may only ask for that: a web page whose name was
    bound to 127.0.0.1 (DNS rebinding) asks for its own. Elsewhere any name will do unless some are
    ``allowed``. Programs that send no Host are no browsers.

    Raises:
        Refused: 421, names the host and the setting.
    """
    sent = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    local = getattr(address_of(scope.get("server")), "is_loopback", False)
    if not sent or "*" in allowed or not (local or allowed):
        return
    name = host_name(sent)
    if name not in map(str.lower, allowed) and not (local and _is_this_machine(name)):
        raise Refused(
            421,
            f"expected a Host header with a name of this server, got {quoted(sent)}; add the name "
            "to the setting allowed_hosts",
        )


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets.

    >>> host_name("[::1]:8400"), host_name("Example.org:80"), host_name("127.0.0.1")
    ('::1', 'example.org', '127.0.0.1')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".").lower()


def _is_this_machine(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
