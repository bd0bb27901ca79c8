"""The content words of the reference tasks.

Every word is a compound of two pieces from one inventory that all words share, so a word of
`spct` or `heldout` is a new combination of pieces that the base training has seen in other words.
"""

from __future__ import annotations

import random
from functools import cache
from importlib.resources import files
from typing import Literal

Split = Literal["base", "spct", "heldout"]
"""What a task is drawn for; no two splits share a word or a phrasing.

`base` trains the base model and the policy, `spct` is for its fine-tuning by SPCT and for its meta
RM, `heldout` is for figures alone.
"""

SPLITS: tuple[Split, ...] = ("base", "spct", "heldout")

MARKS: dict[str, Split] = {"+": "spct", "*": "heldout"}
"""How `words.txt` and `phrasings.txt` mark what is not `base`."""


@cache
def compounds() -> dict[str, tuple[str, str]]:
    """Every content word of all splits, mapped to its two pieces."""
    return {first + second: (first, second) for first, second, _ in _entries()}


@cache
def words(split: Split) -> tuple[str, ...]:
    """The content words of `split`, sorted.

    >>> "sunflower" in words("base") + words("spct") + words("heldout")
    True
    """
    return tuple(sorted(first + second for first, second, of in _entries() if of == split))


def draw_words(rng: random.Random, split: Split, number: int) -> list[str]:
    """`number` distinct content words of `split`, in random order.

    In `base` every second word is coined from two random pieces. Without that a small model learns
    the few hundred words by heart instead of reading them, and fails on words it has not met. A
    coined word is never a word of another split.
    """
    if split != "base":
        return rng.sample(words(split), number)
    found: dict[str, None] = {}
    while len(found) < number:
        found[rng.choice(words("base")) if rng.random() < 0.5 else _coin(rng)] = None
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
def _reserved() -> frozenset[str]:
    return frozenset(words("spct") + words("heldout"))


def _coin(rng: random.Random) -> str:
    while True:
        word = rng.choice(_sorted_inventory()) + rng.choice(_sorted_inventory())
        if word not in _reserved():
            return word


@cache
def _entries() -> tuple[tuple[str, str, Split], ...]:
    text = files(__package__).joinpath("words.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(entry for line in lines for entry in _parse(line))


def _parse(line: str) -> list[tuple[str, str, Split]]:
    first, _, seconds = line.partition(": ")
    marks = "".join(MARKS)
    return [(first, one.rstrip(marks), MARKS.get(one[-1], "base")) for one in seconds.split()]
