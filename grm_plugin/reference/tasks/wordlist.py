"""A word list as text and as parts: opening words, items, a closing number."""

from __future__ import annotations

import re
from dataclasses import dataclass

# int() raises on more digits than a few thousand; no number of the family has more than two.
_NUMBER = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class WordList:
    """The parts of a response such as `gladly: sunrise, seaweed; 7`.

    Attributes:
        opening: the words before the colon, "" where there are none.
        items: the list, in order.
        ending: the number after the last semicolon, None where there is none.
    """

    opening: str
    items: tuple[str, ...]
    ending: int | None

    @classmethod
    def parse(cls, text: str) -> WordList:
        """Read any text as a word list; case and outer blanks do not count.

        >>> WordList.parse("Gladly: sunrise, seaweed; 7")
        WordList(opening='gladly', items=('sunrise', 'seaweed'), ending=7)
        """
        body, ending = _split_ending(text.lower())
        opening, colon, rest = body.partition(":")
        if not colon:
            opening, rest = "", body
        items = tuple(item.strip() for item in rest.split(",") if item.strip())
        return cls(opening.strip(), items, ending)

    @property
    def text(self) -> str:
        """The response as text; `parse` reads it back."""
        opening = f"{self.opening}: " if self.opening else ""
        ending = "" if self.ending is None else f"; {self.ending}"
        return opening + ", ".join(self.items) + ending

    @property
    def repeated(self) -> str | None:
        """The first item that has occurred before, or None."""
        seen: set[str] = set()
        for item in self.items:
            if item in seen:
                return item
            seen.add(item)
        return None

    def place(self, word: str) -> int | None:
        """Where `word` first occurs, counted from 0, or None."""
        return self.items.index(word) if word in self.items else None


def _split_ending(text: str) -> tuple[str, int | None]:
    body, mark, tail = text.rpartition(";")
    # str.strip takes off characters that int() does not, such as U+001C.
    ending = whole_number(tail.strip()) if mark and tail.isascii() else None
    return (text, None) if ending is None else (body, ending)


def whole_number(text: str) -> int | None:
    """The number that `text` is; None where it is not one to nine ASCII digits.

    >>> whole_number("17"), whole_number("-1"), whole_number("²"), whole_number("1" * 5000)
    (17, None, None, None)
    """
    return int(text) if _NUMBER.fullmatch(text) else None
