"""Tells the operator of calls that were refused: their callers may keep it to themselves."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from grm_plugin.errors import on_one_line
from grm_plugin.serving.callers import Caller

logger = logging.getLogger(__name__)
_EVERY_S = 10.0
_RETRY_AFTER_S = 1


def headers_of(status: int) -> dict[str, str]:
    """What a refusal with this status says beside its reason."""
    if status in (429, 503):
        return {"Retry-After": str(_RETRY_AFTER_S)}
    return {"WWW-Authenticate": "Bearer"} if status == 401 else {}


class Refusals:
    """A line in the log for refused calls, at most one in ten seconds for each HTTP status.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[int, float] = {}
        self._untold: dict[int, int] = {}

    def tell(self, path: str, status: int, why: str, caller: Caller) -> None:
        """A call of ``path`` was refused."""
        now = self._clock()
        if now - self._told.get(status, -math.inf) < _EVERY_S:
            self._untold[status] = self._untold.get(status, 0) + 1
            return
        more = self._untold.pop(status, 0)
        self._told[status] = now
        logger.warning(
            "%s refused with %d, %s: %s%s",
            path,
            status,
            caller,
            on_one_line(why),
            f" (and {more} more before)" * bool(more),
        )
