"""Whether a query is a task of the family: words, phrasings and layout as queries are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from grm_plugin.errors import quoted
from grm_plugin.reference.tasks.phrasings import phrasings, sections
from grm_plugin.reference.tasks.wordlist import whole_number
from grm_plugin.reference.tasks.words import SPLITS, pieces

LARGEST_NUMBER = 20
"""The tokenizer knows the numbers from 0 to this one."""

_OPENER = "opener"
_SLOT = re.compile(r"\\\{(\w)\\\}")
_FILLINGS = {**dict.fromkeys("nxy", r"(\d+)"), **dict.fromkeys("wab", r"([^\W\d_]+)")}
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\d+|[^\s.,:;-]")
# Patterns by the first word of the phrasing; under "" are those that begin with a slot.
Phrasings = dict[str, list[re.Pattern[str]]]
_ANY = ""
_BETWEEN = re.compile(r"(?:[\s.,:;-]|\band\b)*")


def strangeness(query: str) -> str:
    """What of ``query`` is outside of the family, in words; empty when nothing is.

    >>> strangeness("Name some words: use exactly 3 items; include the word sunrise.")
    ''
    >>> strangeness("Name some words")
    'it asks for nothing that the family knows'
    >>> strangeness("What is the capital of France?")
    "unknown words 'What', 'capital', 'France', '?'"
    """
    unknown = dict.fromkeys(word for word in _WORD.findall(query) if not _is_known(word))
    if unknown:
        return f"unknown words {', '.join(quoted(word) for word in list(unknown)[:5])}"
    opener = _longest(_openers(), query, 0)
    clauses, rest = _clauses(query, opener or 0)
    if rest:
        return f"no phrasing of the family: {quoted(rest)}"
    return "" if clauses else "it asks for nothing that the family knows"


def _clauses(query: str, start: int) -> tuple[int, str]:
    """How many requirements follow one another from ``start``, and what is left then."""
    found = 0
    while True:
        start = _skipped(query, start)
        end = _longest(_requirements(), query, start)
        if end is None:
            return found, query[start:]
        found, start = found + 1, end


def _skipped(query: str, start: int) -> int:
    match = _BETWEEN.match(query, start)
    return match.end() if match else start


def _longest(by_word: Phrasings, query: str, start: int) -> int | None:
    """Where the longest phrasing at ``start`` ends; None when there is none."""
    word = _WORD.match(query, start)
    if word is None:
        return None
    patterns = (*by_word.get(word.group(), ()), *by_word.get(_ANY, ()))
    found = (pattern.match(query, start) for pattern in patterns)
    return max((match.end() for match in found if match and _is_filled(match)), default=None)


def _is_filled(match: re.Match[str]) -> bool:
    """Whether words and numbers are in the places for them."""
    return all(filling.isdecimal() or _is_compound(filling) for filling in match.groups())


@cache
def _openers() -> Phrasings:
    return _patterns((_OPENER,))


@cache
def _requirements() -> Phrasings:
    return _patterns(name for name in sections() if name != _OPENER)


def _patterns(names: Iterable[str]) -> Phrasings:
    found: Phrasings = {}
    for text in _texts(names):
        first = _WORD.findall(text)[0]
        found.setdefault(_ANY if text.startswith("{") else first, []).append(_pattern(text))
    return found


def _pattern(text: str) -> re.Pattern[str]:
    filled = _SLOT.sub(lambda slot: _FILLINGS[slot.group(1)], re.escape(text))
    return re.compile(rf"{filled}(?![\w-])")


def _texts(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        for split in SPLITS:
            yield from phrasings(name, split)


def _is_known(word: str) -> bool:
    if word.isdecimal():
        number = whole_number(word)
        return number is not None and number <= LARGEST_NUMBER
    return word in _frame_words() or _is_compound(word)


@cache
def _frame_words() -> frozenset[str]:
    texts = (re.sub(r"\{\w\}", " ", text) for text in _texts(sections()))
    return frozenset(word for text in texts for word in _WORD.findall(text)) | {"and"}


def _is_compound(word: str) -> bool:
    try:
        pieces(word)
    except ValueError:
        return False
    return True
