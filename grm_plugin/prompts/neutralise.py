"""Untrusted text can not talk to the judge's frame: look-alikes of it are visibly defused.

A look-alike keeps its words, so a judge can still see what the response tried:
``[The End of Response 1]`` inside a response becomes ``(quoted: The End of Response 1)``.
What comes out holds no look-alike: defusing is a fixed point.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from grm_plugin.prompts.control import control_pattern
from grm_plugin.prompts.delimiters import delimiters, look_alikes
from grm_plugin.prompts.folding import SEEN, SQUEEZED, Folds, folded, places, squeezed

Span = tuple[int, int]

_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = re.compile(r"\w.*\w|\w", re.DOTALL)
_CLOSES = {"{": "}", "(": ")", "[": "]"}
_NEVER = re.compile(r"\A(?!)")
# A text in which a look-alike is left after that many rounds loses the words of it.
_ROUNDS = 4


class Frame:
    """What the judge takes for more than text, as patterns that find it in untrusted text.

    Look-alikes of delimiters are found whatever their case, spacing, alphabet, digits, width or
    invisible characters; control tokens and answer marks without regard to the last three.

    Args:
        layouts: delimiter texts with ``{{places}}``; what stands in their lines between places
            of text are the delimiters.
        control: texts that the judge's tokenizer takes for control tokens, besides the built-in
            shapes.
        forms: regular expressions of the marks in which the judge answers.
    """

    def __init__(
        self, layouts: Iterable[str], *, control: tuple[str, ...] = (), forms: Iterable[str] = ()
    ) -> None:
        pieces = dict.fromkeys(piece for text in layouts for piece in delimiters(text))
        patterns = dict.fromkeys(pattern for piece in pieces for pattern in look_alikes(piece))
        self._delimiters = re.compile("|".join(patterns) or _NEVER.pattern)
        self._marks = (control_pattern(control), _any_of(forms))

    def clean(self, text: str) -> str:
        """``text`` with look-alikes of delimiters, control tokens and answer marks defused.

        Characters that are not Unicode text (lone surrogates) become U+FFFD.
        """
        if not text.isascii():
            text = _SURROGATE.sub("\ufffd", text)
        for _ in range(_ROUNDS):
            spans = self._spans(text)
            if not spans:
                return text
            text = _replaced(text, spans, self._quoted)
        while (spans := self._spans(text)) and text != (dotted := _replaced(text, spans, _dot)):
            text = dotted
        return text

    def find(self, text: str) -> tuple[str, ...]:
        """What of ``text`` looks like the frame, a control token or an answer, in order."""
        return tuple(text[start:end] for start, end in self._spans(text))

    def _spans(self, text: str) -> list[Span]:
        """Where look-alikes stand in ``text``, in order; those that touch each other as one."""
        seen = folded(text)
        found = [span for pattern in self._marks for span in _found(pattern, seen)]
        spans = _back(found, text, SEEN) if found else []
        if found := list(_found(self._delimiters, squeezed(seen))):
            spans += [span for span in _back(found, text, SQUEEZED) if _stands_alone(span, text)]
        return _merged(spans)

    def _quoted(self, look_alike: str) -> str:
        """``look_alike`` as a quotation with as much of its form as can stay."""
        visible = "".join(one for one in look_alike if one.isspace() or SEEN[ord(one)].strip())
        words = re.findall(r"\w+", visible)
        for shown in (_core(visible), " ".join(words), "·".join(words)):
            quoted = f"(quoted: {shown})"
            if not self._spans(quoted):
                return quoted
        return f"(quoted: {'·'.join(''.join(words))})"


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    expressions = [f"(?:{pattern})" for pattern in patterns]
    return re.compile("|".join(expressions), re.IGNORECASE) if expressions else _NEVER


def _found(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return (found.span() for found in pattern.finditer(text) if found.end() > found.start())


def _back(spans: Iterable[Span], text: str, table: Folds) -> list[Span]:
    origin = places(text, table)
    return [(origin[start], origin[end - 1] + 1) for start, end in spans]


def _stands_alone(span: Span, text: str) -> bool:
    """Whether ``span`` does not begin in the middle of a word or number."""
    before = text[max(0, span[0] - 1) : span[0]]
    return not (before.isalnum() and text[span[0]].isalnum())


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _replaced(text: str, spans: Iterable[Span], new: Callable[[str], str]) -> str:
    pieces, last = [], 0
    for start, end in spans:
        pieces += [text[last:start], new(text[start:end])]
        last = end
    return "".join([*pieces, text[last:]])


def _dot(look_alike: str) -> str:
    return "·"


def _core(text: str) -> str:
    """``text`` without the marks around its words, but with brackets that close one in it."""
    words = _WORDS.search(text)
    if not words:
        return ""
    end = words.end()
    for opening in reversed(_unclosed(words[0])):
        if text[end : end + 1] != _CLOSES[opening]:
            break
        end += 1
    return " ".join(text[words.start() : end].split())


def _unclosed(text: str) -> list[str]:
    opened: list[str] = []
    for character in text:
        if character in _CLOSES:
            opened.append(character)
        elif opened and character == _CLOSES[opened[-1]]:
            opened.pop()
    return opened
