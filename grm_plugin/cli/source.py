"""Where ``grm score`` takes its groups from: a file, checked whole first, or a stream."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from grm_plugin.errors import InputError
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.rows import read_groups
from grm_plugin.types import Group

Check = Callable[[Group], object]


class Source:
    """The groups of ``INPUT``.

    A regular file is read twice: all of it is checked before the first token is spent. A stream
    (``-``, a pipe) is checked as it comes. A bad line ends the groups without an error, so that
    what was read before it is still scored; :meth:`finish` raises it.

    Args:
        name: a path, or ``-`` for standard input.
        check: refuses groups that the judge's template can not show.
        reader: how messages, thinking and parts become text.
        limit: take only so many groups, from the first.

    Raises:
        InputError: the file can not be read, has a bad line, or holds no group.
    """

    def __init__(
        self, name: str, check: Check, reader: Reader | None = None, limit: int | None = None
    ) -> None:
        self.name = "standard input" if name == "-" else name
        self.total: int | None = None
        self._path = None if name == "-" else Path(name)
        self._check, self._reader, self._limit = check, reader, limit
        self._seen = 0
        self._error: InputError | None = None
        if self._path and self._path.is_file():
            self.total = sum(1 for _ in self._read())
            self._refuse_if_empty(self.total)

    def groups(self) -> Iterator[Group]:
        """The groups, one at a time, up to the first bad line."""
        try:
            for group in self._read():
                self._seen += 1
                yield group
        except InputError as error:
            self._error = error

    def whole(self) -> Iterator[Group]:
        """Every group of a regular file, whatever the limit.

        Raises:
            InputError: a line is bad.
        """
        return self._all()

    def finish(self) -> None:
        """Raise the error that ended :meth:`groups` too early, if there was one."""
        if self._error:
            raise self._error
        self._refuse_if_empty(self._seen)

    def _refuse_if_empty(self, groups: int) -> None:
        if not groups:
            raise InputError(
                f"{self.name} holds no groups; expected one JSON object a line, such as "
                '{"prompt": "2 + 2?", "responses": ["4", "5"]}'
            )

    def _read(self) -> Iterator[Group]:
        return itertools.islice(self._all(), self._limit)

    def _all(self) -> Iterator[Group]:
        try:
            with self._open() as lines:
                yield from read_groups(lines, self.name, reader=self._reader, check=self._check)
        except OSError as error:
            raise InputError(f"{self.name} can not be read: {error.strerror}") from error

    def _open(self) -> AbstractContextManager[BinaryIO]:
        if self._path:
            return self._path.open("rb")
        # a handle of its own: the interpreter can not end while a thread waits in sys.stdin
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb")
