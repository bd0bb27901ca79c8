"""What a URL says of a server: where it is, without a login, and whether that is this machine."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_LOGIN = re.compile(r"(?:[^/?#]*//)?[^/?#]*@")


def http_address(url: str) -> SplitResult | None:
    """The parts of a URL of http or https; None where it is none, or no host or port can be so.

    >>> http_address("http://judge:80a") is None, http_address("http://judge:80").port
    (True, 80)
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises, as urlsplit does for "http://[::1"
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def has_login(url: str) -> bool:
    """Whether a user or password may stand in front of the host, whatever else is wrong."""
    return _LOGIN.match(url) is not None


def place_of(url: str) -> str:
    """Host and port of ``url``, without a login."""
    return urlsplit(url).netloc.rpartition("@")[2]


def is_here(host: str) -> bool:
    """Whether ``host`` is this machine by a name or number that can be no other."""
    name = socket.gethostname().lower()
    if host.lower() in ("localhost", name, name.partition(".")[0]) or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
