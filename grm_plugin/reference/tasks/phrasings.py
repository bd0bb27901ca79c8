"""How queries ask for a requirement: plain-English phrasings with slots, in disjoint splits.

The phrasings live in `phrasings.txt`. One of `spct` or `heldout` is made of words that occur in
base phrasings, in an arrangement that the base training never shows.
"""

from __future__ import annotations

import itertools
import re
from functools import cache
from importlib.resources import files

from grm_plugin.reference.tasks.words import MARKS, Split

_CHOICE = re.compile(r"\(([^)]*)\)")


@cache
def phrasings(name: str, split: Split) -> tuple[str, ...]:
    """The phrasings of section `name` (a kind of requirement, a tone or `opener`) in `split`.

    Slots are written `{n}`, `{w}`, `{a}`, `{b}`, `{x}`, `{y}`, ready for `str.format`.

    Raises:
        KeyError: there is no such section.

    >>> phrasings("first", "heldout")[3]
    '{w} opens the list'
    """
    return tuple(text for text, of in _sections()[name] if of == split)


@cache
def sections() -> tuple[str, ...]:
    """The names of all sections, in file order."""
    return tuple(_sections())


@cache
def _sections() -> dict[str, list[tuple[str, Split]]]:
    text = files(__package__).joinpath("phrasings.txt").read_text(encoding="utf-8")
    found: dict[str, list[tuple[str, Split]]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            found[name] = []
        elif line and not line.startswith("#"):
            found[name] += _marked(line)
    return found


def _marked(line: str) -> list[tuple[str, Split]]:
    split = MARKS.get(line[0], "base")
    return [(text, split) for text in expand(line if split == "base" else line[1:])]


def expand(pattern: str) -> list[str]:
    """Every sentence that `pattern` stands for; alternatives are written `(a|b|)`.

    >>> expand("(|very )good (tea|cake)")
    ['good tea', 'good cake', 'very good tea', 'very good cake']
    """
    parts = _CHOICE.split(pattern)
    # re.split with one group alternates fixed text (even places) and alternatives (odd places).
    options = [part.split("|") if place % 2 else [part] for place, part in enumerate(parts)]
    return [" ".join("".join(choice).split()) for choice in itertools.product(*options)]
