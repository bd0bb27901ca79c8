"""What a criterion is called, and by which words it is the same as another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_KEPT = 1 << 14  # judges repeat themselves
_LONGEST = 400
_WORDS = 10
_TITLE_WORDS = 8
_TITLE_ENDS = re.compile(r"[:：]|\s[-–—]\s|[(（]|[.;。；]\s|[.。]\Z|——")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_HAN = re.compile(r"[\u3400-\u9fff\u3040-\u30ff]")
_NESS = re.compile(r"ness(?:es)?\Z")
_LAST_E = re.compile(r"e\Z")
_ENDING = re.compile(r"(?:ities|ity|(?<=e)ty|cy|nces?|nts?|te(?:ly)?|ly|ing|ed|es|s|y|e)\Z")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_GAPS = re.compile(r"…(?:[\s+*/-]*(?:(?:and|or)\s+)?…)+")
_DOUBLE = re.compile(r"([bdfgmnprt])\1\Z")
_SHORTEST = 3
_FILLING = frozenset(
    (
        *("the", "a", "an", "of", "and", "or", "to", "in", "for", "with", "as", "by", "on", "at"),
        *("is", "are", "be", "been", "does", "do", "has", "have", "it", "its", "this", "that"),
        *("these", "those", "how", "whether", "which", "what", "should", "must", "shall", "will"),
        *("answer", "answers", "response", "responses", "的", "了", "和", "是", "与", "及"),
    )
)
NEGATIONS = frozenset(["no", "not", "never", "without", "avoid", "exclud", "non", "don't", "don’t"])
"""Words, as :func:`stem` gives them, without which a criterion asks for the opposite."""


Stems = frozenset[str]


class Word(NamedTuple):
    """A word of a title: where it stands, and what it is told apart by."""

    start: int
    end: int
    stem: str


@lru_cache(maxsize=_KEPT)
def title(principle: str) -> str:
    """The name of a principle, without what explains it.

    >>> title("Factual accuracy: every claim must hold."), title("Include the word sunrise.")
    ('Factual accuracy', 'Include the word sunrise')
    """
    text = " ".join(unicodedata.normalize("NFKC", principle[:_LONGEST]).split()).strip(" *_`\"'“”")
    head = _TITLE_ENDS.split(text, maxsplit=1)[0].strip(" *_`\"'“”")
    if head and len(head.split()) <= _TITLE_WORDS:
        return head
    words = text.split()
    return " ".join(words[:_WORDS]) + "…" * (len(words) > _WORDS)


def words(text: str) -> Iterator[Word]:
    """The words of a text that say something; of Chinese every two characters are one."""
    for found in _WORD.finditer(text):
        if _HAN.match(found[0]):
            yield from _pairs(found)
        elif (said := found[0].casefold()) not in _FILLING:
            yield Word(found.start(), found.end(), stem(said))


def _pairs(found: re.Match[str]) -> Iterator[Word]:
    start, run = found.start(), found[0]
    for place in range(max(1, len(run) - 1)):
        if (pair := run[place : place + 2]) not in _FILLING:
            yield Word(start + place, start + place + len(pair), pair)


@lru_cache(maxsize=_KEPT)
def stem(word: str) -> str:
    """What ``word`` has in common with its relatives, near enough for criteria.

    >>> {stem(one) for one in ("accuracy", "accurate", "accurately")}
    {'accura'}
    >>> stem("completeness") == stem("complete") != stem("complex")
    True
    """
    for ending in (_NESS, _ENDING, _LAST_E):
        shorter = ending.sub("", word)
        word = shorter if len(shorter) >= _SHORTEST else word
    return _DOUBLE.sub(r"\1", word)


@lru_cache(maxsize=_KEPT)
def stems(text: str) -> Stems:
    """What the words of a text are told apart by."""
    return all_stems(text)


def all_stems(text: str) -> Stems:
    """The same of a text that does not come again."""
    if _HAN.search(text):
        return frozenset(word.stem for word in words(text))
    return frozenset(map(stem, set(_WORD.findall(text.casefold())) - _FILLING))


@lru_cache(maxsize=_KEPT)
def masked(text: str, special: Stems) -> str:
    """``text`` with an ellipsis for its numbers, and for the words whose stems are ``special``.

    >>> masked("include sunrise and sunset, 5 items", frozenset(["sunris", "sunset"]))
    'include …, … items'
    """
    for word in reversed(list(words(text))):
        if word.stem in special:
            text = f"{text[: word.start]}…{text[word.end :]}"
    return _GAPS.sub("…", _NUMBER.sub("…", text))
