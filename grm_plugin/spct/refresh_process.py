"""`grm train refresh` beside a training: a process of its own that ends with the training's."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError, EngineError, quoted
from grm_plugin.remote.launching.gpus import visible
from grm_plugin.remote.launching.process import GuardedProcess
from grm_plugin.spct.versions import CURRENT

_START_LIMIT_S = 900.0
_POLL_S = 0.1


@contextmanager
def refreshing(
    config: GRMConfig, base: str, *, gpus: Sequence[object] = (), options: Sequence[str] = ()
) -> Iterator[None]:
    """The scalar RM of a judge is refreshed in here; only one process of a training does it.

    ::

        with refreshing(GRMConfig.load("judge.yaml"), "out/scalar", gpus=[7]):
            trainer.train()

    Args:
        config: the judge; its ``scalar.classifier`` reloads, and it has a ``record``.
        base: folder of the scalar RM to begin with.
        gpus: what the refresh may use, which no other process should; none: it trains on the CPU.
        options: more for `grm train refresh`, such as ``["--every", "128"]``.

    Raises:
        ConfigError: the judge has no record, or its scalar RM does not reload.
        EngineError: the refresh ended before it had a first version.
    """
    process = RefreshProcess(config, base, gpus=gpus, options=options)
    try:
        process.start()
        yield
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

    def start(self, limit_s: float = _START_LIMIT_S) -> None:
        """Start it; return when there is a version that a classifier can load.

        Raises:
            EngineError: there is none in time, or never will be.
        """
        self._process = GuardedProcess(self._command, self._environment)
        until = time.monotonic() + limit_s
        while not self._current.is_dir():
            if (code := self._process.code) is not None:
                raise EngineError(f"the refresh of the scalar RM ended with code {code}; see above")
            if time.monotonic() > until:
                raise EngineError(
                    f"the refresh of the scalar RM has made no {self._current} in {limit_s:g} s"
                )
            time.sleep(_POLL_S)

    def end(self) -> None:
        """End it, if it runs, and wait until it is gone; its last whole version stays."""
        if self._process:
            self._process.end()

    async def close(self) -> None:
        """As :meth:`end`, while the event loop goes on."""
        if self._process:
            await self._process.close()


def _places(config: GRMConfig) -> tuple[Path, Path]:
    """The record, and the link to the newest version."""
    classifier = config.scalar.classifier if config.scalar else None
    options = classifier.options if classifier else {}
    model = Path(str(options.get("model", "")))
    if config.record is None or not options.get("reload") or model.name != CURRENT:
        raise ConfigError(
            "a refresh needs record, and scalar: {classifier: {name: transformers, model: "
            f"OUT/{CURRENT}, reload: true}}}}, got record {quoted(config.record)} and classifier "
            f"{quoted(dict(options))}"
        )
    return config.record, model
