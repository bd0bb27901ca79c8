"""A scalar RM that is trained on beside a policy, in a process that ends with the policy's."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grm_plugin.errors import TrainingError
from grm_plugin.remote.launching.process import program
from grm_plugin.spct.versions import CURRENT
from recipes.coscaling.plan import HERE

_OPTIONS = (
    "--idle-s",
    "900",
    "--every",
    "64",
    "--replay",
    "0.5",
    "--learning-rate",
    "3e-4",
    "--device-batch",
    "16",
)
_POLL_S, _PATIENCE_S, _GRACE_S = 0.5, 600.0, 60.0


def versions(run: Path) -> Path:
    """The folder of the scalar RM's versions."""
    return run / "scalar"


@contextmanager
def refreshed(base: str, run: Path) -> Iterator[None]:
    """Train on the scalar RM in ``base`` by what the run records, until the context is left.

    Args:
        base: folder of the scalar RM to begin with.
        run: folder of the run.

    Raises:
        TrainingError: the training ended before there was one.
    """
    folder = versions(run)
    asked = ("grm", "train", "refresh", str(run / "verdicts.jsonl"), "--base", base)
    more = ("--template", f"{HERE}/scalar.txt", *_OPTIONS, "--out", str(folder))
    command = program((*asked, *more))
    if command is None:
        raise TrainingError("refresh: no command 'grm' on this machine")
    run.mkdir(parents=True, exist_ok=True)
    with (run / "refresh.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
        try:
            _await(process, folder / CURRENT)
            yield
        finally:
            _end(process)


def _await(process: subprocess.Popen[bytes], current: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not current.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise TrainingError(
                f"refresh: expected {current} within {_PATIENCE_S:.0f} s, and it is not there; see "
                "refresh.log beside it"
            )
        time.sleep(_POLL_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
