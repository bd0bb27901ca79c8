"""How responses begin, and how many begin alike, in memory that does not grow."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

LONGEST_WORD = 40
_START = 2000  # characters of a text in which an opening is looked for


def opening_of(text: str, words: int) -> str:
    """The first ``words`` words of a text in small letters, each cut; empty for no text.

    >>> opening_of("The  answer\\nis forty two", 3)
    'the answer is'
    """
    found = text[:_START].casefold().split(maxsplit=words)[:words]
    return " ".join(word[:LONGEST_WORD] for word in found)


@dataclass
class Openings:
    """Counts openings, and keeps the common ones (Misra and Gries's algorithm).

    Args:
        most: openings that are kept; a count is at most ``1 / (most + 1)`` of the responses low.
        responses: that were counted.
        counts: of those that are kept.
    """

    most: int = 64
    responses: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, opening: str) -> None:
        """Count one response."""
        self.responses += 1
        self.counts[opening] += 1
        if len(self.counts) > self.most:
            self.counts = _less(self.counts, 1)

    @property
    def share(self) -> float:
        """Of the responses with the most common opening, 0..1; NaN of none."""
        return max(self.counts.values(), default=0) / (self.responses or math.nan)

    @property
    def common(self) -> str:
        """The most common opening; empty of none."""
        return min(self.counts.items(), key=lambda one: (-one[1], one[0]), default=("", 0))[0]

    def __add__(self, other: Openings) -> Openings:
        counts = self.counts + other.counts
        over = sorted(counts.values(), reverse=True)[self.most : self.most + 1]
        kept = _less(counts, over[0]) if over else counts
        return Openings(self.most, self.responses + other.responses, kept)


def _less(counts: Counter[str], n: int) -> Counter[str]:
    return Counter({name: count - n for name, count in counts.items() if count > n})
