"""One of several equal servers: where it is, and how it is doing."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.remote.addresses import has_login, http_address
from grm_plugin.remote.refusing.faults import Wait

FIRST_PAUSE_S = 1.0
"""For how long a replica is put aside, the first time."""


@dataclass(eq=False)
class Replica:
    """One server.

    Args:
        root: URL in front of ``/health``, ``/tokenize`` and ``/classify``.
        api: URL in front of ``/models`` and ``/chat/completions``.
        load: draws in flight.
        faults: transport faults in a row.
        pause_s: seconds it is put aside for, next time.
        aside_until: clock seconds before which it gets nothing, while others can.
        waits: why it takes no requests, since it said so last; None when it answered since.
        rested_s: seconds for which it got nothing, the last time that it was busy.
        busy_at: clock seconds when it last said that it is busy.
        picked: number of the pick that chose it last.
    """

    root: str
    api: str
    load: int = 0
    faults: int = 0
    pause_s: float = FIRST_PAUSE_S
    aside_until: float = 0.0
    waits: Wait | None = None
    rested_s: float = 0.0
    busy_at: float = -math.inf
    picked: int = 0

    @classmethod
    def at(cls, url: str, owner: str) -> Replica:
        """The server at ``url``, given with or without its version (``/v1``).

        The address of an Azure deployment has none: it ends in ``/deployments/NAME``.

        Raises:
            ConfigError: not an HTTP address, or one with a password or a query in it.
        """
        if has_login(url):
            raise ConfigError(
                f"{owner}: a URL must not carry a user or password (not shown); put the key into "
                "an environment variable and name it in api_key_env"
            )
        parts = http_address(url)
        if parts is None:
            raise ConfigError(
                f"{owner}: expected a URL such as http://host:8001, got "
                f"{quoted(url.partition('?')[0])}"
            )
        if parts.query or parts.fragment:
            raise ConfigError(
                f"{owner}: a URL must not carry a query (not shown); write it as "
                "query: {name: value}"
            )
        plain = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        if re.search(r"/deployments/[^/]+$", plain):
            return cls(plain, plain)
        version = re.search(r"/v\d+\w*(?=/|$)", plain)
        return cls(plain[: version.start()], plain) if version else cls(plain, f"{plain}/v1")

    def to(self, path: str) -> str:
        """The URL of ``path``; ``/v1/...`` is below the server's own API address."""
        return self.api + path[3:] if path.startswith("/v1/") else self.root + path

    def __str__(self) -> str:
        return self.root
