"""SIGTERM, by which schedulers end a job, ends a command as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from typer import Exit

TERMINATED = 128 + signal.SIGTERM


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM is a KeyboardInterrupt in here, and then the exit code 143.

    Raises:
        Exit: it came.
    """
    if threading.current_thread() is not threading.main_thread():  # it has no signals
        yield
        return
    came = False

    def interrupt(*_: object) -> None:
        nonlocal came
        came = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        if came:
            raise Exit(TERMINATED) from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
