"""How requests reach the servers and are let in: key, headers, query, proxy and certificates."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.remote.options import ConnectionOptions
from grm_plugin.remote.providers import BEARER, Provider
from grm_plugin.remote.proxies import ENVIRONMENT, NONE, check_proxy, environments_proxy, logins
from grm_plugin.remote.secret import Hiding, Secret, filled

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Access:
    """What every request carries, and the way it takes; nothing of it is ever shown.

    Args:
        secret: the key of all servers.
        key_header: the header that carries it.
        more_headers: further ones.
        query: what is added to every URL.
        proxy: ``environment``, ``none`` or a URL.
        ca_file: certificates to trust besides those of the system.
        secrets: what else must not be shown.
    """

    secret: Secret = field(default_factory=Secret)
    key_header: str = BEARER
    more_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str = field(default=ENVIRONMENT, repr=False)
    ca_file: Path | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, options: ConnectionOptions, provider: Provider, owner: str) -> Access:
        """The access that ``options`` describe.

        Raises:
            ConfigError: a variable of the environment is not set, a key is written out, or a
                header, the proxy or the file of certificates can not be used.
        """
        headers, hidden = filled(owner, "headers", options.headers)
        query, more = filled(owner, "query", options.query)
        proxy, rest = filled(owner, "proxy", {"url": options.proxy})
        check_proxy(options.proxy, proxy["url"], owner)
        _check_headers(owner, "headers", headers)
        _check_headers(owner, "key_header", {options.key_header or provider.key_header: ""})
        if options.ca_file is not None:
            _trusting(options.ca_file, owner)
        return cls(
            _key(options, provider, owner),
            options.key_header or provider.key_header,
            headers,
            query,
            proxy["url"],
            options.ca_file,
            (*hidden, *more, *rest),
        )

    def with_key(self, secret: Secret) -> Access:
        """The same with another key."""
        return replace(self, secret=secret)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        key = self.secret.value
        bears = self.key_header.lower() == BEARER.lower()
        own = {self.key_header: f"Bearer {key}" if bears else key}
        return {**(own if key else {}), **self.more_headers}

    def hiding(self) -> Hiding:
        """What takes the secrets of this access out of all that is read."""
        return Hiding([self.secret.value, *self.secrets, *logins(self.proxy)])

    def trust(self) -> ssl.SSLContext | bool:
        """Whose certificates are believed; True: those of the system."""
        return True if self.ca_file is None else _trusting(self.ca_file, "the judge's server")

    def proxy_for(self, url: str) -> str | None:
        """The proxy to ask for ``url``; None: straight.

        The environment's (``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY``) is never asked for an
        address of this machine.

        Raises:
            RefusedError: the environment names one that does not speak HTTP.
        """
        if self.proxy == NONE:
            return None
        return environments_proxy(url) if self.proxy == ENVIRONMENT else self.proxy


def _key(options: ConnectionOptions, provider: Provider, owner: str) -> Secret:
    """The key that is named, or the provider's own where requests go to nobody else."""
    own = not provider.url or not (options.url or options.urls)
    name = options.api_key_env or (provider.key_env if own and not options.serve else "") or None
    return Secret.from_environment(name, owner)


def _check_headers(owner: str, option: str, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            raise ConfigError(
                f"{owner}: {option}: expected the name of a header, got {quoted(name)}"
            )
        if _CONTROL.search(value):
            raise ConfigError(
                f"{owner}: {option}.{name}: expected a text without line breaks and other control "
                "characters, which no request can carry; what came is not shown"
            )


def _trusting(file: Path, owner: str) -> ssl.SSLContext:
    try:
        trusted = ssl.create_default_context()
        trusted.load_verify_locations(cafile=file)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"{owner}: ca_file {quoted(file)} can not be used: {quoted(error)}; expected a file of "
            "certificates in PEM form"
        ) from error
    return trusted
