"""Untrusted text can not talk to the judge's frame: look-alikes of it are visibly defused.

A look-alike keeps its words, so a judge can still see what the response tried:
``[The End of Response 1]`` inside a response becomes ``(quoted: The End of Response 1)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLACE = re.compile(r"\{\{[^{}]*\}\}")
# characters that show nothing and could hide inside a look-alike
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_GAP = rf"[\s{_INVISIBLE}]*"
# what chat templates of common model families turn into control tokens
_CONTROL = (
    r"<\|[^<>|\n]{1,40}\|>",
    r"<｜[^<>｜\n]{1,40}｜>",
    r"</?s>",
    r"<(?:bos|eos|pad|unk|mask|start_of_turn|end_of_turn)>",
    r"</?think>",
    r"\[/?INST\]",
    r"<</?SYS>>",
)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Frame:
    """The delimiters of a template, as a pattern that finds look-alikes in untrusted text.

    Args:
        layouts: delimiter texts with ``{{places}}``; their literal lines are the delimiters.
    """

    def __init__(self, layouts: Iterable[str]) -> None:
        delimiters = dict.fromkeys(line for text in layouts for line in _literal_lines(text))
        patterns = [_loose(line) for line in delimiters]
        self._pattern = re.compile("|".join([*patterns, *_CONTROL]), re.IGNORECASE)

    def clean(self, text: str) -> str:
        """``text`` with look-alikes of delimiters and control tokens defused.

        Characters that are not Unicode text (lone surrogates) become U+FFFD.
        """
        return self._pattern.sub(_defuse, _SURROGATE.sub("\ufffd", text))


def _literal_lines(layout: str) -> list[str]:
    lines = (line.strip() for line in layout.splitlines())
    return [line for line in lines if _has_words(_PLACE.sub("", line))]


def _has_words(text: str) -> bool:
    return sum(character.isalpha() for character in text) >= 4


def _loose(line: str) -> str:
    """A pattern for ``line`` with any number in its places and any gaps between its parts."""
    parts = re.findall(r"\{\{[^{}]*\}\}|\w+|[^\w\s]", line)
    return _GAP.join(r"\d{1,4}" if part.startswith("{{") else re.escape(part) for part in parts)


def _defuse(match: re.Match[str]) -> str:
    words = re.sub(r"^[^\w]+|[^\w]+$", "", match[0])
    return f"(quoted: {words})"
