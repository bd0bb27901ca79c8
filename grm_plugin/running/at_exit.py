"""What is still open when the interpreter ends is closed, while its threads can still work.

``atexit`` would be too late: executors are shut down before its functions run, and closing an
engine needs one. So this runs where executors register themselves, and before them. A thread that
closing needs must be there by then: some Pythons begin none at that point. A forked process closes
only what it opened itself: what was open before is its parent's.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  (registers before us, and so ends after us)
import logging
import os
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

_open: dict[Callable[[], None], None] = {}


def close_at_exit(close: Callable[[], None]) -> None:
    """Call ``close`` at the end of the interpreter; it stays alive until then."""
    _open[close] = None


def forget(close: Callable[[], None]) -> None:
    """Forget ``close``; nothing happens when it is not known."""
    _open.pop(close, None)


def _close_all() -> None:
    for close in reversed([*_open]):
        try:
            close()
        except Exception:  # whatever it is, the others must still be closed
            logger.exception("%s failed at exit", getattr(close, "__qualname__", close))


threading._register_atexit(_close_all)  # type: ignore[attr-defined]
if hasattr(os, "register_at_fork"):  # where processes fork
    os.register_at_fork(after_in_child=_open.clear)
