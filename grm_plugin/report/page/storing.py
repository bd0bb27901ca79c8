"""Where the details of verdicts wait: in the page while they are few, else in files beside it."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from grm_plugin.report.page.embedding import as_data

MOST_INLINE = 500
"""Verdicts whose details stand in the page itself; of more they are all in files."""
_INLINE_SIZE = 16 << 20
_FILE_VERDICTS, _FILE_SIZE = 200, 1 << 20


class Details:
    """Takes details one by one and keeps at most ``MOST_INLINE`` of them in memory.

    Args:
        page: the page; the files are in the folder ``<name>_files`` beside it once
            :meth:`publish` was called.
    """

    def __init__(self, page: Path) -> None:
        self.folder = page.with_name(f"{page.stem}_files")
        self.inline: list[str] = []
        """Those that stand in the page, as JSON texts."""
        self._beside = page.with_name(f".{page.stem}_files.{os.getpid()}.part")
        self._files: _Files | None = None
        self._size = 0

    def add(self, details: dict[str, Any]) -> None:
        """Take those of the next verdict."""
        text = as_data(details)
        if self._files:
            return self._files.add(text)
        self.inline.append(text)
        self._size += len(text)
        if len(self.inline) > MOST_INLINE or self._size > _INLINE_SIZE:
            self._move_to_files()
        return None

    @property
    def starts(self) -> list[int]:
        """Number of the first verdict of each file; empty while all are inline."""
        return self._files.starts if self._files else []

    def finish(self) -> None:
        """All are taken."""
        if self._files:
            self._files.flush()

    def publish(self) -> None:
        """Put the files in their place, and those of an earlier page away.

        Raises:
            OSError: that can not be.
        """
        for old in self.folder.glob("details-*.js"):
            old.unlink()
        if self._files:
            self.folder.mkdir(exist_ok=True)
            for file in self._beside.iterdir():
                file.replace(self.folder / file.name)
        elif self.folder.is_dir():
            with contextlib.suppress(OSError):  # somebody else's files are in it
                self.folder.rmdir()

    def discard(self) -> None:
        """Leave nothing of what was not published."""
        shutil.rmtree(self._beside, ignore_errors=True)

    def _move_to_files(self) -> None:
        self.discard()  # of a killed process of this number
        self._beside.mkdir()
        self._files = _Files(self._beside)
        for text in self.inline:
            self._files.add(text)
        self.inline = []


class _Files:
    """Writes so many details a file; a script element of the page loads it."""

    def __init__(self, folder: Path) -> None:
        self.starts: list[int] = []
        self._folder, self._written = folder, 0
        self._waiting: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        self._waiting.append(text)
        self._size += len(text)
        if len(self._waiting) >= _FILE_VERDICTS or self._size > _FILE_SIZE:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        self.starts.append(self._written)
        self._written += len(self._waiting)
        number = len(self.starts)
        call = f"grmDetails({number},[{','.join(self._waiting)}]);\n"
        (self._folder / f"details-{number:04}.js").write_text(call, encoding="ascii")
        self._waiting, self._size = [], 0
