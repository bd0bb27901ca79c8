"""Versions of a model in one folder: each is there whole or not at all, and one is current."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from grm_plugin.errors import ConfigError

CURRENT = "current"
"""The link to the newest version."""
_BEGUN = ".begun"  # holds the process id of the refresh that has loaded its weights
_NAME = re.compile(r"version-(\d{4,})")


def version_name(number: int) -> str:
    """How the folder of a version is called.

    >>> version_name(3)
    'version-0003'
    """
    return f"version-{number:04d}"


def newest(folder: Path) -> int | None:
    """The number of the newest version; None where there is none."""
    return max(_numbers(folder), default=None)


def _numbers(folder: Path) -> list[int]:
    found = (_NAME.fullmatch(path.name) for path in folder.glob("version-*"))
    return sorted(int(name[1]) for name in found if name)


def begun(folder: Path) -> int | None:
    """The process that last said that it refreshes in ``folder``; None: nobody has.

    A link to a version says nothing of that: a run before may have left it.
    """
    try:
        return int((folder / _BEGUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # ValueError: it is being written
        return None


def say_begun(folder: Path) -> None:
    """Say that this process has a version to go on from; see :func:`begun`.

    Raises:
        OSError: it can not be written.
    """
    (folder / _BEGUN).write_text(f"{os.getpid()}", encoding="utf-8")


def forget_begun(folder: Path) -> None:
    """Take back what a process before said, which may have had the id of the next one."""
    with suppress(OSError):  # of a folder that can not be written the next one tells
        (folder / _BEGUN).unlink()


def publish(folder: Path, number: int, write: Callable[[Path], None], *, keep: int) -> Path:
    """Write a version, make it the current one, and drop the oldest.

    Whoever follows ``current`` sees the version before until this one is whole.

    Args:
        folder: of all versions.
        number: of this one.
        write: writes it into an empty folder.
        keep: how many there are afterwards, 1 or more; who loads one that is dropped loads again.

    Raises:
        ConfigError: it can not be written.
    """
    version, part = folder / version_name(number), folder / f".{version_name(number)}.part"
    try:
        shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
        part.mkdir(parents=True)
        write(part)
        part.replace(version)
        point(folder, number)
        for old in _numbers(folder)[:-keep]:
            shutil.rmtree(folder / version_name(old))
    except OSError as error:
        raise ConfigError(f"{version} can not be written: {error.strerror or error}") from error
    return version


def point(folder: Path, number: int) -> None:
    """Make a version the current one, in one step.

    Raises:
        OSError: it can not be done.
    """
    link = folder / f".{CURRENT}.part"
    link.unlink(missing_ok=True)
    link.symlink_to(version_name(number), target_is_directory=True)
    link.replace(folder / CURRENT)
