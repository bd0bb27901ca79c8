"""Which of several equal servers gets a request."""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from grm_plugin.errors import ConfigError, quoted

logger = logging.getLogger(__name__)

FAULTS_TO_PUT_ASIDE = 3
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
PIN_S = 60.0


@dataclass(eq=False)
class Replica:
    """One server.

    Args:
        root: URL in front of ``/health``, ``/tokenize`` and ``/classify``.
        api: URL in front of ``/models`` and ``/chat/completions``.
        load: draws in flight.
        faults: transport faults in a row.
        pause_s: seconds it is put aside for, next time.
        aside_until: clock seconds before which it gets nothing.
        picked: number of the pick that chose it last.
    """

    root: str
    api: str
    load: int = 0
    faults: int = 0
    pause_s: float = FIRST_PAUSE_S
    aside_until: float = 0.0
    picked: int = 0

    @classmethod
    def at(cls, url: str, owner: str) -> Replica:
        """The server at ``url``, given with or without its version (``/v1``).

        The address of an Azure deployment has none: it ends in ``/deployments/NAME``.

        Raises:
            ConfigError: not an HTTP address, or one with a password or a query in it.
        """
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise ConfigError(
                f"{owner}: a URL must not carry a user or password (not shown); put the key into "
                "an environment variable and name it in api_key_env"
            )
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigError(
                f"{owner}: expected a URL such as http://host:8001, got {quoted(url)}"
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


@dataclass(eq=False)
class _Pin:
    replica: Replica
    in_flight: int = 0
    last_used: float = 0.0


@dataclass(eq=False)
class Router:
    """Sends whole groups to the least loaded replica, and around those that fail.

    A group stays with its replica while it has requests in flight and a minute longer, so that
    its prompts share one prefix cache. A replica with three transport faults in a row is put
    aside for a growing while; then a single request probes it. With all of them aside the one
    that is due first is tried anyway.

    Args:
        replicas: at least one.
        clock: seconds, monotonic.
    """

    replicas: Sequence[Replica]
    clock: Callable[[], float] = time.monotonic
    _pins: OrderedDict[str, _Pin] = field(default_factory=OrderedDict)
    _picks: int = 0

    @contextmanager
    def lease(self, group: str, weight: int, *, avoid: Replica | None = None) -> Iterator[Replica]:
        """A replica for the body, with ``weight`` draws counted as its load.

        Args:
            group: what is pinned to one replica; empty pins nothing.
            weight: draws of the request.
            avoid: the replica that just failed this request; taken only when there is no other.
        """
        pin = self._pinned(group, avoid)
        pin.replica.load += weight
        pin.in_flight += 1
        try:
            yield pin.replica
        finally:
            pin.replica.load -= weight
            pin.in_flight -= 1
            pin.last_used = self.clock()

    def failed(self, replica: Replica) -> None:
        """Count a transport fault; those of a replica that is already aside say nothing new."""
        now = self.clock()
        if now < replica.aside_until:
            return
        replica.faults += 1
        if replica.faults >= FAULTS_TO_PUT_ASIDE:
            replica.aside_until = now + replica.pause_s
            logger.warning(
                "judge server %s: %d faults in a row; put aside", replica, replica.faults
            )

    def answered(self, replica: Replica) -> None:
        """Forget the faults of a replica that answered."""
        if replica.faults >= FAULTS_TO_PUT_ASIDE:
            logger.info("judge server %s is back", replica)
        replica.faults, replica.pause_s, replica.aside_until = 0, FIRST_PAUSE_S, 0.0

    def _pinned(self, group: str, avoid: Replica | None) -> _Pin:
        now = self.clock()
        self._forget_old(now)
        ready = [one for one in self.replicas if now >= one.aside_until]
        choice = [one for one in ready if one is not avoid] or ready
        pin = self._pins.get(group)
        if pin is None or pin.replica not in choice:
            pin = _Pin(self._least_loaded(choice))
        if group:
            self._pins[group] = pin
            self._pins.move_to_end(group)
        self._on_pick(pin.replica, now)
        return pin

    def _least_loaded(self, choice: Sequence[Replica]) -> Replica:
        if not choice:
            return min(self.replicas, key=lambda one: one.aside_until)
        return min(choice, key=lambda one: (one.load, one.picked))

    def _on_pick(self, replica: Replica, now: float) -> None:
        self._picks += 1
        replica.picked = self._picks
        if replica.faults >= FAULTS_TO_PUT_ASIDE and now >= replica.aside_until:
            # this request is the probe: nobody else follows until it has answered
            replica.pause_s = min(2 * replica.pause_s, LONGEST_PAUSE_S)
            replica.aside_until = now + replica.pause_s

    def _forget_old(self, now: float) -> None:
        while self._pins:
            oldest = next(iter(self._pins.values()))
            if oldest.in_flight or now - oldest.last_used < PIN_S:
                return
            self._pins.popitem(last=False)
