"""A word list as text and as parts: opening words, items, a closing number."""

from __future__ import annotations

from dataclasses import dataclass


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
    # Only ASCII digits: str.isdigit also accepts superscripts, on which int() raises.
    if mark and tail.strip().isdecimal() and tail.isascii():
        return body, int(tail)
    return text, None
