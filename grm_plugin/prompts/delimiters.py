"""The delimiters of a template's layouts, and patterns for what looks like them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grm_plugin.prompts.folding import folded, squeezed

_PLACE = re.compile(r"\{\{[^{}]*\}\}")
_TEXT_PLACE = re.compile(r"\{\{(?!\s*(?:index|letter|n|nonce)\s*\}\})[^{}]*\}\}")

# digits and symbols that are read as letters in the middle of a word
_READ_AS = {"a": "a4@", "b": "b8", "e": "e3", "i": "i1l|!", "l": "l1i|", "o": "o0", "s": "s5$",
            "t": "t7+"}  # fmt: skip
_ONES = "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_TEENS = "(?:thir|four|fif|six|seven|eigh|nine)(?:teen|ty)|twenty|forty|hundred"
_ORDINALS = "first|second|third|fifth|eighth|ninth|twelfth|twentieth"
_WORDS = rf"(?:(?:{_TEENS}|{_ORDINALS}|(?:{_ONES})(?:th)?|and|-){{1,6}})"
_LEAD = r"(?:no\.?|nr\.?|num(?:ber)?|#){0,2}"
# A number at the end of a delimiter, before honest text; and one that the delimiter goes on after.
_OPEN_NUMBER = rf"(?<![0-9]){_LEAD}(?:[0-9]+|{_WORDS}(?![a-z]))"
# the same after an opening bracket: no honest text goes on so
_HALF_NUMBER = rf"(?<![0-9]){_LEAD}(?:[0-9]+|{_TEENS}|{_ORDINALS}|{_ONES})"
_NUMBER = (
    rf"(?<![0-9]){_LEAD}(?:[0-9]+(?:st|nd|rd|th)?|{_WORDS}(?:th)?|[ivxlc]{{1,8}}|[a-z])"
    r"(?:·\w{1,16})?"
)
_NONCE = r"\w{0,16}"
_ANYTHING = r"[^\[\]<>(){}]{0,48}?"
_BRACKETS = {"[": "]", "<": ">"}
# a delimiter in brackets whose number has a name
_NAMED = re.compile(
    r"(?P<opens>[\[<]).*?(?P<word>[^\W\d_]{4,})[\W_]{0,2}"
    r"\{\{\s*(?:index|letter)\s*\}\}.*(?P<closes>[\]>])"
)
_LONG = 12  # letters that make a delimiter unmistakable, whatever stands for its number
_WORDY = 8  # letters that make it safe to read digits in it as letters


def delimiters(layout: str) -> Iterator[str]:
    """The pieces of ``layout`` that a judge takes for delimiters, numbers as ``{{places}}``."""
    for line in layout.splitlines():
        yield from (piece.strip() for piece in _TEXT_PLACE.split(line) if _is_telling(piece))


def _is_telling(piece: str) -> bool:
    """Whether ``piece`` is rare enough in honest text to be a delimiter: ``R{{index}}:`` is."""
    literal = "".join(_PLACE.sub("", piece).split())
    letters = _letters(literal)
    return letters >= 4 or (literal != piece and letters >= 1 and len(literal) >= 2)


def _letters(text: str) -> int:
    return sum(1 if one.isascii() else 2 for one in text if one.isalpha())


def look_alikes(piece: str) -> Iterator[str]:
    """Patterns that find what looks like ``piece`` in a squeezed text, whatever its numbers.

    Between brackets other words may stand around the number too: ``[End of Response 2]``. Of a long
    one with a number one of its brackets is enough: a judge reads it as the whole.
    """
    yield _spelt(piece)
    for half in _halves(piece):
        yield from _begun(_spelt(half))
    named = _NAMED.fullmatch(folded(piece))
    if named and named["closes"] == _BRACKETS[named["opens"]]:
        opens, closes = re.escape(named["opens"]), re.escape(named["closes"])
        inside, word = f"[^{opens}{closes}]", _literal(squeezed(named["word"]), wordy=True)
        number = rf"[\W_]{{0,2}}(?<![0-9]){_LEAD}(?:[0-9]+|{_WORDS})(?![a-z0-9])"
        yield f"{opens}{inside}{{0,32}}{word}{number}{inside}{{0,32}}{closes}"


def _halves(piece: str) -> tuple[str, ...]:
    """``piece`` without its last bracket, and without its first, if it is unmistakable so."""
    seen, literal = folded(piece), _PLACE.sub("", piece)
    if literal == piece or _letters(literal) < _LONG or _BRACKETS.get(seen[0]) != seen[-1]:
        return ()
    return piece[:-1].rstrip(), piece[1:].lstrip()


def _begun(pattern: str) -> Iterator[str]:
    """``pattern`` once for each character it may begin with: they are searched for much faster."""
    first, closes, rest = pattern[1:].partition("]") if pattern.startswith("[") else ("", "", "")
    if closes:
        yield from (re.escape(one) + rest for one in first)
    else:
        yield pattern


def _spelt(piece: str) -> str:
    literals = [squeezed(folded(literal)) for literal in _PLACE.split(piece)]
    letters = _letters("".join(literals))
    number = _number(literals, letters)
    numbers = [_NONCE if "nonce" in place else number for place in _PLACE.findall(piece)]
    patterns = [_literal(literal, wordy=letters >= _WORDY) for literal in literals]
    return patterns[0] + "".join(map("".join, zip(numbers, patterns[1:], strict=True)))


def _number(literals: list[str], letters: int) -> str:
    if not literals[-1]:
        is_half = letters >= _LONG and literals[0][:1] in _BRACKETS
        return _HALF_NUMBER if is_half else _OPEN_NUMBER
    return _ANYTHING if letters >= _LONG and _is_closed(literals) else _NUMBER


def _is_closed(literals: list[str]) -> bool:
    return not literals[0][:1].isalnum() and not literals[-1][:1].isalnum()


def _literal(text: str, *, wordy: bool) -> str:
    if not wordy:
        return re.escape(text)
    return "".join(_one(character) for character in text)


def _one(character: str) -> str:
    likes = _READ_AS.get(character)
    return f"[{likes}]" if likes else re.escape(character)
