"""Where the details of verdicts wait: in the page while they are few, else in files beside it."""

from __future__ import annotations

import contextlib
import os
import secrets
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

    The names of the files are drawn anew for each page that is written, so that a page which is
    open while it is written again finds its own details or none.

    Args:
        page: the page; the files are in the folder ``<name>_files`` beside it once
            :meth:`publish` was called. Pages ``a.htm`` and ``a.html`` have a folder each.
    """

    def __init__(self, page: Path) -> None:
        name = page.stem if page.suffix == ".html" else page.name
        self.folder = page.with_name(f"{name}_files")
        self.start = f"details-{secrets.token_hex(4)}-"
        """What the names of the files begin with."""
        self.inline: list[str] = []
        """Those that stand in the page, as JSON texts."""
        self._beside = page.with_name(f".{name}_files.{os.getpid()}.part")
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
        """Put the files in their place, beside those of an earlier page.

        Raises:
            OSError: that can not be.
        """
        if self._files:
            self.folder.mkdir(exist_ok=True)
            for file in self._beside.iterdir():
                file.replace(self.folder / file.name)

    def forget_earlier(self) -> None:
        """Put the files of earlier pages away, once this page is in its place.

        Raises:
            OSError: that can not be.
        """
        for file in self.folder.glob("details-*.js"):
            if not file.name.startswith(self.start):
                file.unlink()
        if not self._files and self.folder.is_dir():
            with contextlib.suppress(OSError):  # somebody else's files are in it
                self.folder.rmdir()

    def discard(self) -> None:
        """Leave nothing of what was not published."""
        shutil.rmtree(self._beside, ignore_errors=True)

    def _move_to_files(self) -> None:
        self.discard()  # of a killed process of this number
        self._beside.mkdir()
        self._files = _Files(self._beside, self.start)
        for text in self.inline:
            self._files.add(text)
        self.inline = []


class _Files:
    """Writes so many details a file; a script element of the page loads it."""

    def __init__(self, folder: Path, start: str) -> None:
        self.starts: list[int] = []
        self._folder, self._start, self._written = folder, start, 0
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
        (self._folder / f"{self._start}{number:04}.js").write_text(call, encoding="ascii")
        self._waiting, self._size = [], 0
