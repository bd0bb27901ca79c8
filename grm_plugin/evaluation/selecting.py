"""Which of many items have given values in their metadata. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

import numpy as np

from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.resampling import Array

Where = Mapping[str, Any]
"""Which items: those that have given values, by key of :meth:`Item.get`; any of several where it is
a tuple."""


class Items(Sequence[Item]):
    """G items whose metadata is looked up once for all figures of a tree."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = tuple(items)
        self._codes: dict[str, tuple[dict[str, int], Array]] = {}

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def selected(self, where: Where) -> Array:
        """``of_G``: which items ``where`` means; all of them where it is empty."""
        of_G: Array = np.ones(len(self), dtype=bool)
        for key, wanted in where.items():
            codes, code_G = self._column(key)
            several = wanted if isinstance(wanted, tuple) else (wanted,)
            of_G &= np.isin(code_G, [codes.get(str(one), -1) for one in several])
        return of_G

    def _column(self, key: str) -> tuple[dict[str, int], Array]:
        """A number for each value under ``key``, and that of each item."""
        if key not in self._codes:
            codes: dict[str, int] = {}
            numbers = [codes.setdefault(str(one.get(key)), len(codes)) for one in self]
            self._codes[key] = codes, np.array(numbers, dtype=int)
        return self._codes[key]


def selected(items: Sequence[Item], where: Where) -> Array:
    """``of_G``: which of G items ``where`` means."""
    return (items if isinstance(items, Items) else Items(items)).selected(where)
