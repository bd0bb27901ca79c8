"""One request on its way, with all its tries."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import EngineError, RefusedError, TransportError
from grm_plugin.remote.replicas import Replica

_LONGEST_PAUSE_S = 5.0

Check = Callable[[Any], object]
"""Raises TransportError for an answer that is none."""
NOBODY: Mapping[Replica, RefusedError] = {}


def anything(value: Any) -> None:
    """A check that passes every answer."""


@dataclass(slots=True)
class Trip:
    """One request on its way: since when, where it failed last, and how often.

    Args:
        path: where it goes.
        body: what it carries.
        group: pins it to a replica.
        draws: what it counts for.
        check: what its answer must pass.
        without: the replicas that it is not sent to, or not any more.
        refusals: of replicas that will take no request like it.
        asked_at: when it was made; ``ticket`` is its place among those made before.
        deadline: of the answer, from its first sending or its first after a wait.
        failed_at: the replica that gave it no answer last.
        faults: of servers that were there.
        last: why it waited last.
    """

    path: str
    body: Mapping[str, Any]
    group: str
    draws: int
    check: Check
    without: set[Replica]
    refusals: list[RefusedError]
    asked_at: float
    ticket: int
    deadline: float = math.inf
    failed_at: Replica | None = None
    faults: int = 0
    last: str = ""

    def pause_s(self, fault: EngineError, tries: int) -> float:
        """Seconds until the next try, after one more fault.

        Raises:
            TransportError: there were as many tries as there may be.
        """
        self.faults += 1
        if self.faults >= tries:
            raise TransportError(f"{fault} (gave up after {tries} tries)") from fault
        return min(_LONGEST_PAUSE_S, 0.1 * 2.0**self.faults) * random.uniform(0.5, 1.0)
