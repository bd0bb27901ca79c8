"""Tells observers of verdicts in threads of their own: one that blocks never holds up a reward."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from grm_plugin.types import Verdict

logger = logging.getLogger(__name__)

Tell = Callable[[Verdict], object]


class Observers:
    """Everybody who observes verdicts; each hears of them in order, in a daemon thread.

    Args:
        observers: the plug-in's name, and what is called with each verdict.
        most: verdicts that may wait for one observer; what is over that it does not hear of.
    """

    def __init__(self, observers: Iterable[tuple[str, Tell]], *, most: int = 1000) -> None:
        self._observers = [_Observer(plugin, tell, most) for plugin, tell in observers]

    def tell(self, verdict: Verdict) -> None:
        """Tell everybody, and wait for nobody."""
        for observer in self._observers:
            observer.tell(verdict)

    def close(self, limit_s: float = 5.0) -> None:
        """Wait until everybody has heard everything, ``limit_s`` seconds for all of them."""
        until = time.monotonic() + limit_s
        for observer in self._observers:
            observer.end()
        for observer in self._observers:
            observer.wait(until - time.monotonic())


class _Observer:
    def __init__(self, plugin: str, tell: Tell, most: int) -> None:
        self._plugin, self._tell, self._most = plugin, tell, most
        self._waiting: SimpleQueue[Verdict | None] = SimpleQueue()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="grm-observer", daemon=True)
        self._thread.start()

    def tell(self, verdict: Verdict) -> None:
        if self._waiting.qsize() < self._most:
            self._waiting.put(verdict)
            return
        self._dropped += 1
        if self._dropped == 1:
            logger.warning(
                "plug-in %r: grm_on_verdict is too slow: %d verdicts wait for it; it does not "
                "hear of further ones", self._plugin, self._most,
            )  # fmt: skip

    def end(self) -> None:
        self._waiting.put(None)

    def wait(self, limit_s: float) -> None:
        self._thread.join(max(0.0, limit_s))
        if self._thread.is_alive():
            logger.warning(
                "plug-in %r: grm_on_verdict did not return in time: at least %d verdicts were "
                "not observed", self._plugin, self._waiting.qsize() + self._dropped,
            )  # fmt: skip

    def _run(self) -> None:
        while (verdict := self._waiting.get()) is not None:
            try:
                self._tell(verdict)
            except BaseException:  # it can neither end this thread nor the process
                logger.exception("plug-in %r: grm_on_verdict failed", self._plugin)
