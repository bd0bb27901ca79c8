"""Untrusted text can not talk to the judge's frame: look-alikes of it are visibly defused.

A look-alike keeps its words, so a judge can still see what the response tried:
``[The End of Response 1]`` inside a response becomes ``(quoted: The End of Response 1)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_PLACE = re.compile(r"\{\{[^{}]*\}\}")
_TEXT_PLACE = re.compile(r"\{\{(?!\s*(?:index|n)\s*\}\})[^{}]*\}\}")
# what chat templates of common model families turn into control tokens
_CONTROL = (
    r"<\|[^<>|\n]{1,40}\|>",
    r"</?s>",
    r"<(?:bos|eos|pad|unk|mask|start_of_turn|end_of_turn)>",
    r"</?think(?:ing)?>",
    r"\[/?(?:INST|SYSTEM_PROMPT)\]",
    r"<</?SYS>>",
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = re.compile(r"\w.*\w|\w", re.DOTALL)

# characters that show nothing and could hide inside a look-alike
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_WIDE = {code + 0xFEE0: code for code in range(ord("!"), ord("~") + 1)}
_WIDE |= str.maketrans("【】〈〉", "[]<>")


class Frame:
    """The delimiters of a template, as a pattern that finds look-alikes in untrusted text.

    Look-alikes are found whatever their case, spacing, full-width or invisible characters.

    Args:
        layouts: delimiter texts with ``{{places}}``; what stands in their lines between places
            of text are the delimiters.
    """

    def __init__(self, layouts: Iterable[str]) -> None:
        delimiters = dict.fromkeys(piece for text in layouts for piece in _delimiters(text))
        patterns = [_loose(_plain(piece)) for piece in delimiters]
        self._pattern = re.compile("|".join([*patterns, *_CONTROL]), re.IGNORECASE)

    def clean(self, text: str) -> str:
        """``text`` with look-alikes of delimiters and control tokens defused.

        Characters that are not Unicode text (lone surrogates) become U+FFFD.
        """
        text = _SURROGATE.sub("\ufffd", text)
        plain = _plain(text)
        if not self._pattern.search(plain):
            return text
        place = [i for i, character in enumerate(text) if not _INVISIBLE.match(character)]
        pieces, end = [], 0
        for found in self._pattern.finditer(plain):
            pieces += [text[end : place[found.start()]], _defused(found[0])]
            end = place[found.end() - 1] + 1
        return "".join([*pieces, text[end:]])


def _plain(text: str) -> str:
    """``text`` as a reader sees it: without invisible characters, in characters of one width."""
    return text if text.isascii() else _INVISIBLE.sub("", text).translate(_WIDE)


def _delimiters(layout: str) -> Iterator[str]:
    for line in layout.splitlines():
        yield from (piece.strip() for piece in _TEXT_PLACE.split(line) if _is_telling(piece))


def _is_telling(piece: str) -> bool:
    """Whether ``piece`` is rare enough in honest text to be a delimiter: ``R{{index}}:`` is."""
    literal = "".join(_PLACE.sub("", piece).split())
    letters = sum(1 if character.isascii() else 2 for character in literal if character.isalpha())
    return letters >= 4 or (literal != piece and letters >= 1 and len(literal) >= 2)


def _loose(piece: str) -> str:
    """A pattern for ``piece`` with any number in its places and any gaps between its parts."""
    parts = re.findall(r"\{\{[^{}]*\}\}|\w+|[^\w\s]", piece)
    return r"\s*".join(r"\d{1,4}" if part.startswith("{{") else re.escape(part) for part in parts)


def _defused(look_alike: str) -> str:
    words = _WORDS.search(look_alike)
    return f"(quoted: {' '.join(words[0].split()) if words else ''})"
