"""Takes items of a source for whoever reads it now; what the reader before has left is not lost."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_END: Any = object()


class Source(Generic[T]):
    """A source that one reader after the other takes from, each in a thread of its own.

    Args:
        items: read lazily.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self._given_back: deque[T] = deque()
        self._error: BaseException | None = None
        self._reader: object = None
        self._reading, self._state = threading.Lock(), threading.Lock()
        self.open: deque[T] = deque()
        """What was taken, and not closed yet."""

    def reader(self) -> Iterator[T]:
        """Who takes from now on; a reader before gets nothing any more."""
        with self._state:
            self._reader = reader = object()
        return self._read(reader)

    def leave(self) -> list[T]:
        """What was taken and is open; the reader takes nothing any more."""
        with self._state:
            self._reader = None
            left = list(self.open)
            self.open.clear()
        return left

    def _read(self, reader: object) -> Iterator[T]:
        while True:
            with self._reading:  # one that was left may still wait for its item
                item = self._take(reader)
            if item is _END:
                return
            yield item

    def _take(self, reader: object) -> T:
        item = self._next()
        with self._state:
            if self._reader is reader:
                if item is not _END:
                    self.open.append(item)
                if self._error:
                    raise self._error
                return item
            if item is not _END:
                self._given_back.append(item)
            return _END  # type: ignore[no-any-return]

    def _next(self) -> T:
        if self._given_back:
            return self._given_back.popleft()
        if self._error is None:
            try:
                return next(self._items, _END)
            except BaseException as error:  # whatever it is, who reads now must hear of it
                self._error = error
        return _END  # type: ignore[no-any-return]
