"""Files that commands write whole: they are there when they are finished, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from grm_plugin.errors import ConfigError


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A text file that takes the place of ``path`` at the end; after an error nothing does.

    Raises:
        ConfigError: it can not be written.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            yield file
        beside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} can not be written: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)
