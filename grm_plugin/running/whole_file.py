"""Files that are written whole: they are there when they are finished, and not before."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from grm_plugin.errors import ConfigError


@contextmanager
def replacing(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """A path beside ``path``: what is written there takes its place at the end.

    Its folder is made. After an error nothing takes its place; what a killed process left is
    written over.

    Args:
        path: of the file to be.
        shared: whether processes may write it at the same time; then each has a path of its own.

    Raises:
        ConfigError: it can not be written.
    """
    own = f".{os.getpid()}" if shared else ""
    beside = path.with_name(f".{path.name}{own}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        beside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} can not be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # it is in its place, or never was
            beside.unlink()


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A text file that takes the place of ``path`` at the end; after an error nothing does.

    Raises:
        ConfigError: it can not be written.
    """
    with replacing(path) as beside, beside.open("w", encoding="utf-8") as file:
        yield file


def as_json(value: Any, indent: int | None = None) -> str:
    """``value`` as JSON, with null for what is not known: NaN and infinities are no JSON."""
    return json.dumps(known(value), indent=indent, allow_nan=False)


def known(value: Any) -> Any:
    """``value`` with None for numbers that are NaN or infinite."""
    if isinstance(value, dict):
        return {name: known(each) for name, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return list(map(known, value)) if isinstance(value, list | tuple) else value
