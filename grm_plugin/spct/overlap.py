"""Contamination: runs of words that training data share with a benchmark. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from grm_plugin.types import Group, digest

WORDS = 13
"""Words of a run, as is usual in the field (since arXiv:2005.14165)."""
SHORTEST = 8
"""Words of a text that is looked for within longer ones though it is shorter than a run."""
_FEWEST = 4
"""Words of a text that is looked for at all: shorter ones are the same by chance."""
_ALONE = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
"""Characters of scripts that put no spaces between words; each counts as one."""
_WORD = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation.

    Where a script has no spaces between words, each of its characters counts as one.

    >>> words("It's 3.14, ROUGHLY!")
    ['it', 's', '3', '14', 'roughly']
    >>> words("\u4f60\u597d, GRM")
    ['\u4f60', '\u597d', 'grm']
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def runs(text: str, n: int) -> Iterator[str]:
    """Every run of ``n`` words; of a shorter text all of it, unless it has hardly any words.

    >>> list(runs("a b c d", 3))
    ['a b c', 'b c d']
    """
    return _runs(words(text), n)


def _runs(found: list[str], n: int) -> Iterator[str]:
    if _FEWEST <= len(found) < n:
        yield " ".join(found)
    yield from _windows(found, n)


def _windows(found: list[str], n: int) -> Iterator[str]:
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

    A text that is shorter than a run is looked for by its own length: within longer texts where it
    has ``SHORTEST`` words, else as a whole.

    Args:
        n: words of a run.
    """

    def __init__(self, n: int = WORDS) -> None:
        self._n = n
        self._places: list[str] = []
        self._at: dict[int, int] = {}
        self._shorter: set[int] = set()
        self.unseen = 0
        """Groups that can not be found, as all of their texts have hardly any words."""

    def add(self, place: str, group: Group) -> None:
        """Take in a group that stands at ``place``."""
        self._places.append(place)
        found = [words(text) for _, text in _texts(group)]
        for each in found:
            for run in _runs(each, self._n):
                self._at.setdefault(_key(run), len(self._places) - 1)
        self._shorter |= {len(each) for each in found if SHORTEST <= len(each) < self._n}
        self.unseen += all(len(each) < _FEWEST for each in found)

    def overlap(self, group: Group) -> Overlap | None:
        """The first run of words that ``group`` shares with one of the benchmarks."""
        for where, text in _texts(group):
            for run in self._looked_for(words(text)):
                place = self._at.get(_key(run))
                if place is not None:
                    return Overlap(where, run, self._places[place])
        return None

    def _looked_for(self, found: list[str]) -> Iterator[str]:
        """What of a text may stand in a benchmark, the longest first."""
        yield from _runs(found, self._n)
        for shorter in sorted(self._shorter, reverse=True):
            yield from _windows(found, shorter)


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
