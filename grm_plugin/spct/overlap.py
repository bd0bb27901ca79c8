"""Contamination: runs of words that training data share with a benchmark. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from grm_plugin.types import Group, digest

WORDS = 13
"""Words of a run, as is usual in the field (since arXiv:2005.14165)."""
_WORD = re.compile(r"\w+")
_FEWEST = 4


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation.

    >>> words("It's 3.14, ROUGHLY!")
    ['it', 's', '3', '14', 'roughly']
    """
    return _WORD.findall(text.casefold())


def runs(text: str, n: int) -> Iterator[str]:
    """Every run of ``n`` words; of a shorter text all of it, unless it has hardly any words.

    >>> list(runs("a b c d", 3))
    ['a b c', 'b c d']
    """
    found = words(text)
    if _FEWEST <= len(found) < n:
        yield " ".join(found)
    for start in range(len(found) - n + 1):
        yield " ".join(found[start : start + n])


@dataclass(frozen=True, slots=True)
class Overlap:
    """A run of words that a group shares with a benchmark.

    Args:
        where: ``prompt``, or ``response 0`` and so on.
        run: the words.
        benchmark: where they stand there.
    """

    where: str
    run: str
    benchmark: str


class Benchmark:
    """The runs of words in the groups of benchmarks.

    Args:
        n: words of a run.
    """

    def __init__(self, n: int = WORDS) -> None:
        self._n = n
        self._places: list[str] = []
        self._at: dict[int, int] = {}

    def add(self, place: str, group: Group) -> None:
        """Take in a group that stands at ``place``."""
        self._places.append(place)
        for _, text in _texts(group):
            for run in runs(text, self._n):
                self._at.setdefault(_key(run), len(self._places) - 1)

    def overlap(self, group: Group) -> Overlap | None:
        """The first run of words that ``group`` shares with one of the benchmarks."""
        for where, text in _texts(group):
            for run in runs(text, self._n):
                place = self._at.get(_key(run))
                if place is not None:
                    return Overlap(where, run, self._places[place])
        return None


def _texts(group: Group) -> Iterator[tuple[str, str]]:
    """The texts of a group by where they stand; what a system turn says is shared by many."""
    for turn in group.conversation:
        if turn.role != "system":
            yield "prompt", turn.content
    for n, response in enumerate(group.responses):
        yield f"response {n}", response


def _key(run: str) -> int:
    """64 bits of a run: benchmarks have millions of them."""
    return int(digest(run)[:16], 16)
