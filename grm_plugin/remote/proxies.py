"""The proxy on the way to a server: which one it is, and the login that is never shown."""

from __future__ import annotations

import base64
import re
import urllib.request
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from grm_plugin.errors import ConfigError, RefusedError, quoted
from grm_plugin.remote.addresses import has_login, http_address, is_here, place_of

ENVIRONMENT, NONE = "environment", "none"


def check_proxy(written: str, url: str, owner: str) -> None:
    """Refuse what can be no proxy.

    Args:
        written: the setting.
        url: the same with the environment's variables in it.
        owner: how messages call the part.

    Raises:
        ConfigError: neither ``environment`` nor ``none`` nor a URL, or one with a login; not shown.
    """
    if url in (ENVIRONMENT, NONE):
        return
    if has_login(written) and "${" not in written.rpartition("@")[0]:
        raise ConfigError(
            f"{owner}: proxy: a URL must not carry a user or password (not shown); put both into "
            "an environment variable and write http://${PROXY_LOGIN}@host:port"
        )
    if http_address(url) is None:
        raise ConfigError(
            f"{owner}: proxy: expected {ENVIRONMENT}, {NONE} or a URL such as "
            f"http://proxy:3128, got {quoted(written)}"
        )


def environments_proxy(url: str) -> str | None:
    """The proxy that the environment names for ``url``; None: straight, as for this machine.

    Raises:
        RefusedError: it is of a kind that is not spoken here.
    """
    parts = urlsplit(url)
    if is_here(parts.hostname or "") or urllib.request.proxy_bypass(place_of(url)):
        return None
    found = urllib.request.getproxies()
    proxy = found.get(parts.scheme) or found.get("all")
    if not proxy:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if http_address(proxy) is None:
        raise RefusedError(
            f"{url}: expected a proxy of http or https in the environment, got "
            f"{quoted(re.sub('//.*@', '//', proxy))}; name another one in "
            f"{parts.scheme.upper()}_PROXY or proxy, or set proxy: none"
        )
    return proxy


def logins(proxy: str) -> Iterator[str]:
    """What must not be shown of the proxy of the settings, and of those of the environment."""
    for url in (proxy, *urllib.request.getproxies().values()):
        parts = http_address(url)
        if parts is None or not parts.password:
            continue
        user, password = unquote(parts.username or ""), unquote(parts.password)
        yield from (parts.password, password)
        yield base64.b64encode(f"{user}:{password}".encode()).decode()  # as the header carries it
