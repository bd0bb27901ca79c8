"""Where a command takes its groups from: an input, checked whole first, or a stream."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Protocol

from grm_plugin.errors import InputError
from grm_plugin.hosts.inputs.opening import Check
from grm_plugin.types import Group


class Groups(Protocol):
    """An input of groups."""

    @property
    def label(self) -> str:
        """How errors call it."""

    @property
    def can_be_read_again(self) -> bool:
        """Whether :meth:`groups` gives the same groups a second time."""

    def groups(self, check: Check | None = None) -> Iterator[Group]:
        """The groups; InputError names a row that is bad, or that ``check`` refuses."""


class Source:
    """The groups of ``INPUT``.

    What can be read again is read twice: all of it is checked before the first token is spent. A
    stream (``-``, a pipe) is checked as it comes. A bad row ends the groups without an error, so
    that what was read before it is still scored; :meth:`finish` raises it.

    Args:
        groups: the input.
        check: refuses groups that the judge's template can not show.
        limit: take only so many groups, from the first.

    Raises:
        InputError: the input can not be read, has a bad row, or holds no group.
        EngineError: a library that its format needs is not installed.
    """

    def __init__(self, groups: Groups, check: Check, limit: int | None = None) -> None:
        self.name = groups.label
        self.total: int | None = None
        self._input, self._check, self._limit = groups, check, limit
        self._seen = 0
        self._error: InputError | None = None
        if groups.can_be_read_again:
            self.total = sum(1 for _ in self._read())
            self._refuse_if_empty(self.total)

    def groups(self) -> Iterator[Group]:
        """The groups, one at a time, up to the first bad row."""
        try:
            for group in self._read():
                self._seen += 1
                yield group
        except InputError as error:
            self._error = error

    def whole(self) -> Iterator[Group]:
        """Every group of an input that can be read again, whatever the limit.

        Raises:
            InputError: a row is bad.
        """
        return self._input.groups(self._check)

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
        return itertools.islice(self.whole(), self._limit)
