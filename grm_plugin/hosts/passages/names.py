"""How judges name the responses they were shown: ``Response 2``, ``Assistant B``, ``回答二``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth"),
    *("sixth", "seventh", "eighth", "ninth", "tenth"),
)
_HAN = "一二三四五六七八九十"
_NOUNS = ("response", "answer", "assistant", "model", "candidate", "completion", "output", "reply")
_HAN_NOUNS = ("回答", "回复", "答复", "答案", "响应", "回应", "助手", "模型", "候选")
_NOUN = rf"(?:{'|'.join(_NOUNS)})"
_HAN_NOUN = rf"(?:{'|'.join(_HAN_NOUNS)})"
_SIGNS = (*_NOUNS, " one", "-one", "\tone")
_ALL_SIGNS = (*_SIGNS, *_HAN_NOUNS)
_NUMBER = r"\d{1,3}(?![0-9A-Za-z%％]|\.\d)"
_LETTER = r"[A-Z](?![0-9A-Za-z])"
_NTH = (
    rf"第[ \t]?(?:(?P<han_nth>[{_HAN}])|(?P<nth>\d{{1,3}}))[ \t]?[个條条份篇则]?[ \t]?{_HAN_NOUN}"
)
_NAME = (
    rf"(?:(?i:(?<![A-Za-z]){_NOUN})(?:[ \t_-]{{0,3}}#?(?P<number>{_NUMBER})"
    rf"|[ \t_-]{{1,3}}(?:(?P<letter>{_LETTER})|(?P<word>(?i:{'|'.join(_WORDS)}))\b))"
    rf"|(?i:\b(?P<ordinal>{'|'.join(_ORDINALS)})[ \t-](?:{_NOUN}|one))\b(?![ \t_-]{{0,3}}#?\d)"
    rf"|{_HAN_NOUN}[ \t]?#?"
    rf"(?:(?P<han_number>{_NUMBER})|(?P<han_letter>{_LETTER})|(?P<han>[{_HAN}]))|{_NTH})"
)
_NAMED = re.compile(_NAME)
A_NAME = re.sub(r"[?]P<[a-z_]+>", "?:", _NAME)
"""A pattern for a name, without groups."""
_SEVERAL = re.compile(
    r"[*_\])>\"'`】」”]{0,6}[ \t]{0,3}"
    r"(?:[,/&、<>=~≈≥≤-]{1,3}|(?:and|or|vs\.?|versus|to)\b|与|和|及|跟|或)"
    rf"[ \t]{{0,3}}[*_\[(<\"'`【「“]{{0,6}}(?:{A_NAME}"
    rf"|{_NUMBER}(?![^\s,.;:)*]| of\b)|(?-i:{_LETTER}))"
)
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}


class Name(NamedTuple):
    """A response named in a text, by its place in the prompt (from 1 on), and where it stands."""

    place: int
    start: int
    end: int


def folded(text: str) -> str:
    """``text`` with plain digits, letters and marks for wide ones; as long as before."""
    return text if text.isascii() else text.translate(_WIDE)


def names(text: str, shown: int | None = None) -> Iterator[Name]:
    """The responses named in a :func:`folded` text, in its order.

    Args:
        text: one line or more.
        shown: how many responses the judge saw; other places are no names. None: not known.

    >>> [one.place for one in names("Response 2 beats Assistant A, 第三个回答 and model-4")]
    [2, 1, 3, 4]
    """
    for found in _NAMED.finditer(text):
        if (place := _place(found)) and _can_be(place, shown):
            yield Name(place, *found.span())


def may_name(text: str, start: int = 0) -> bool:
    """Whether a :func:`folded` text can name a response behind ``start``: quick to tell."""
    rest = text[start:].lower()
    return any(map(rest.__contains__, _SIGNS if rest.isascii() else _ALL_SIGNS))


def name_at(text: str, start: int, shown: int | None = None) -> Name | None:
    """The response named right at ``start`` of a :func:`folded` text; as in :func:`names`."""
    found = _NAMED.match(text, start)
    place = _place(found) if found else 0
    return Name(place, *found.span()) if found and place and _can_be(place, shown) else None


def of_several(text: str, end: int) -> bool:
    """Whether the name that ends at ``end`` is the first of several, as in ``Response 1 and 2``."""
    return bool(_SEVERAL.match(text, end))


def _can_be(place: int, shown: int | None) -> bool:
    return shown is None or place <= shown


def _place(found: re.Match[str]) -> int:
    form = found.lastgroup or ""  # one form matched, and each has one group
    text = found[form]
    if form.endswith(("number", "nth")) and text.isdecimal():
        return int(text)
    if form.endswith("letter"):
        return ord(text) - ord("A") + 1
    if form.startswith("han"):
        return _HAN.index(text) + 1
    return (_WORDS if form == "word" else _ORDINALS).index(text.lower()) + 1
