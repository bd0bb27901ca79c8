"""A scalar RM that is trained on beside a policy, in a process that ends with the policy's."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grm_plugin.errors import TrainingError, quoted
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
    asked = ("train", "refresh", str(run / "verdicts.jsonl"), "--base", base)
    more = ("--template", f"{HERE}/scalar.txt", *_OPTIONS, "--out", str(folder))
    command = (sys.executable, "-m", "grm_plugin", *asked, *more)
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
        if process.poll() is not None:
            raise TrainingError(_missing(current, f"ended with code {process.returncode}"))
        if time.monotonic() > deadline:
            raise TrainingError(_missing(current, f"took over {_PATIENCE_S:.0f} s"))
        time.sleep(_POLL_S)


def _missing(current: Path, why: str) -> str:
    return (
        f"refresh: expected a scalar RM in {quoted(str(current))}, and the command that makes it "
        f"{why}; see refresh.log in the folder of the run"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
