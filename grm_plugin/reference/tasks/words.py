"""The content words of the reference tasks.

Every word is a compound of two pieces from one inventory that all words share, so a held-out word
is a new combination of pieces that training has seen in other words.
"""

from __future__ import annotations

import random
from functools import cache
from importlib.resources import files
from typing import Literal

Split = Literal["train", "heldout"]
"""`train` is what the reference judge learns from; `heldout` shares no word or phrasing with it."""

SPLITS: tuple[Split, ...] = ("train", "heldout")


@cache
def compounds() -> dict[str, tuple[str, str]]:
    """Every content word of both splits, mapped to its two pieces."""
    return {first + second: (first, second) for first, second, _ in _entries()}


@cache
def words(split: Split) -> tuple[str, ...]:
    """The content words of `split`, sorted.

    >>> "sunflower" in words("train") + words("heldout")
    True
    """
    starred = split == "heldout"
    return tuple(sorted(first + second for first, second, held in _entries() if held == starred))


def draw_words(rng: random.Random, split: Split, number: int) -> list[str]:
    """`number` distinct content words of `split`, in random order.

    In training every second word is coined from two random pieces. Without that a small model
    learns the few hundred words by heart instead of reading them, and fails on words it has not
    met. A coined word is never a held-out word.
    """
    if split == "heldout":
        return rng.sample(words(split), number)
    found: dict[str, None] = {}
    while len(found) < number:
        found[rng.choice(words("train")) if rng.random() < 0.5 else _coin(rng)] = None
    return list(found)


@cache
def pieces(word: str) -> tuple[str, str]:
    """The two pieces of a compound or coined word.

    Raises:
        ValueError: `word` is not made of two pieces of the inventory.
    """
    for cut in range(1, len(word)):
        if {word[:cut], word[cut:]} <= inventory():
            return word[:cut], word[cut:]
    raise ValueError(f"expected a word made of two known pieces, got {word!r}")


@cache
def inventory() -> frozenset[str]:
    """All pieces that words are made of."""
    return frozenset(piece for pair in compounds().values() for piece in pair)


@cache
def _sorted_inventory() -> tuple[str, ...]:
    # A set has no fixed order; drawing from it would make the data depend on the process.
    return tuple(sorted(inventory()))


@cache
def _heldout() -> frozenset[str]:
    return frozenset(words("heldout"))


def _coin(rng: random.Random) -> str:
    while True:
        word = rng.choice(_sorted_inventory()) + rng.choice(_sorted_inventory())
        if word not in _heldout():
            return word


@cache
def _entries() -> tuple[tuple[str, str, bool], ...]:
    text = files(__package__).joinpath("words.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(entry for line in lines for entry in _parse(line))


def _parse(line: str) -> list[tuple[str, str, bool]]:
    first, _, seconds = line.partition(": ")
    return [(first, second.rstrip("*"), second.endswith("*")) for second in seconds.split()]
