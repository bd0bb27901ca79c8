"""`grm train refresh` beside a training: a process of its own that ends with the training's."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError, EngineError, quoted
from grm_plugin.remote.launching.gpus import visible
from grm_plugin.remote.launching.process import GuardedProcess
from grm_plugin.spct.versions import CURRENT, begun, forget_begun

logger = logging.getLogger(__name__)

_START_LIMIT_S = 900.0
_POLL_S = 0.1
_OWNER = "the refresh of the scalar RM"


@contextmanager
def refreshing(
    config: GRMConfig, base: str, *, gpus: Sequence[object] = (), options: Sequence[str] = ()
) -> Iterator[None]:
    """The scalar RM of a judge is refreshed in here; only one process of a training does it.

    ::

        with refreshing(GRMConfig.load("judge.yaml"), "out/scalar", gpus=[7]):
            trainer.train()
            trainer.save_model()

    A refresh that ends meanwhile is logged at once, and the training goes on with its last version.

    Args:
        config: the judge; its ``scalar.classifier`` reloads, and it has a ``record``.
        base: folder of the scalar RM to begin with.
        gpus: what the refresh may use, which no other process should; none: it trains on the CPU.
        options: more for `grm train refresh`, such as ``["--every", "128"]``.

    Raises:
        ConfigError: the judge has no record, or its scalar RM does not reload.
        EngineError: the refresh ended before it had a version to go on from; or with an error
            during the training, which is told when that is through.
    """
    process = RefreshProcess(config, base, gpus=gpus, options=options)
    try:
        process.start()
        yield
        process.check()
    finally:
        process.end()


class RefreshProcess:
    """Runs it; see :func:`refreshing`."""

    def __init__(
        self, config: GRMConfig, base: str, *, gpus: Sequence[object], options: Sequence[str]
    ) -> None:
        record, self._current = _places(config)
        told = ["--base", base, "--out", str(self._current.parent)]
        if config.scalar and config.scalar.template:
            told += ["--template", str(config.scalar.template)]
        command = [sys.executable, "-m", "grm_plugin", "train", "refresh", str(record), *told]
        self._command = [*command, *options]
        self._environment = os.environ | (visible(gpus) or {"CUDA_VISIBLE_DEVICES": ""})
        self._process: GuardedProcess | None = None
        self._ending = threading.Event()

    def start(self, limit_s: float = _START_LIMIT_S) -> None:
        """Start it; return when it says that it has a version, which a classifier can load.

        Raises:
            EngineError: it has none in time, or never will.
        """
        folder = self._current.parent
        forget_begun(folder)
        self._process = process = GuardedProcess(self._command, self._environment)
        until = time.monotonic() + limit_s
        while begun(folder) != process.pid:
            if (code := process.code) is not None:
                raise EngineError(f"{_OWNER} ended with code {code}; see above")
            if time.monotonic() > until:
                raise EngineError(f"{_OWNER} has made no {self._current} in {limit_s:g} s")
            time.sleep(_POLL_S)
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def _watch(self, process: GuardedProcess) -> None:
        """Log an end that nobody asked for."""
        while process.code is None:
            if self._ending.wait(_POLL_S):
                return
        if not self._ending.is_set():
            level = logging.ERROR if process.code else logging.WARNING  # WARNING: it was idle
            logger.log(level, "%s", _ended(process.code))

    def check(self) -> None:
        """Nothing, while it runs, and where it ended since nothing was recorded for long.

        Raises:
            EngineError: it ended with an error.
        """
        if self._process and self._process.code:
            raise EngineError(_ended(self._process.code))

    def end(self) -> None:
        """End it, if it runs, and wait until it is gone; its last whole version stays."""
        self._ending.set()
        if self._process:
            self._process.end()

    async def close(self) -> None:
        """As :meth:`end`, while the event loop goes on."""
        self._ending.set()
        if self._process:
            await self._process.close()


def _ended(code: int | None) -> str:
    return (
        f"{_OWNER} ended with code {code} during the training, see above; the scalar RM has stayed "
        "at its last version since"
    )


def _places(config: GRMConfig) -> tuple[Path, Path]:
    """The record, and the link to the newest version."""
    classifier = config.scalar.classifier if config.scalar else None
    options = classifier.options if classifier else {}
    model = Path(str(options.get("model", ""))).expanduser()  # as the classifier reads it
    if config.record is None or not options.get("reload") or model.name != CURRENT:
        raise ConfigError(
            "a refresh needs record, and scalar: {classifier: {name: transformers, model: "
            f"OUT/{CURRENT}, reload: true}}}}, got record {quoted(config.record)} and classifier "
            f"{quoted(dict(options))}"
        )
    return config.record, model
