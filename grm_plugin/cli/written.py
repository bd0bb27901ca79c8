"""The files of ``grm score``: which hold something, and how they are locked and read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from grm_plugin.cli.merging import finish_merge
from grm_plugin.records import read_verdicts
from grm_plugin.running.recorder import Durability, Recorder
from grm_plugin.types import Verdict

RETRY, RESTART = ".retry", ".restart"
"""How the names of files end in which new verdicts wait."""


def holds(path: Path) -> bool:
    """Whether there is such a file, and something in it."""
    return path.is_file() and path.stat().st_size > 0


def file_beside(path: Path, ending: str) -> Path:
    """The file beside ``path`` in which new verdicts wait."""
    real = path.resolve()  # of a link, what it leads to
    return real.with_name(real.name + ending)


def locked(path: Path, durability: Durability) -> Recorder:
    """``path``, locked, and whole also when a run was killed while it wrote it anew."""
    recorder = Recorder(path, durability)
    while any(finish_merge(path.resolve(), file_beside(path, one)) for one in (RETRY, RESTART)):
        recorder.close()
        recorder = Recorder(path, durability)
    return recorder


def recorder_beside(path: Path, beside: Path, durability: Durability) -> Recorder:
    """The file beside ``path``, open; as private as that."""
    recorder = Recorder(beside, durability)
    if not holds(beside):
        shutil.copymode(path, beside)
    return recorder


def verdicts(path: Path) -> Iterator[Verdict]:
    """The verdicts in a file; none where there is no file."""
    return read_verdicts(path) if path.is_file() else iter(())


def close_beside(recorder: Recorder, path: Path) -> None:
    """Close a file beside; an empty one goes away."""
    with suppress(FileNotFoundError):  # it is in its place
        if not path.stat().st_size:
            path.unlink()
    recorder.close()
