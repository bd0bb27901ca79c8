"""An answer behind a mark: ``<answer>[[A]]</answer>``, ``[RESULT] 4``, ``Rating: [[7]]``.

Every such mark in the text holds the same answer, and nothing else stands between its two ends,
or up to the end of its line where it has one end only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from grm_plugin.contracts.menu import Menu, MenuOptions
from grm_plugin.contracts.placed import Placed
from grm_plugin.contracts.places import Place, exact, loose
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError, quoted
from grm_plugin.options import read_options
from grm_plugin.types import Reason

_LETTER, _BLANKS = re.compile(r"[^\W\d_]"), re.compile(r"\s*")
_SHOWN = 60
_AROUND = " \t\r*_`"  # emphasis around the value of a line
Texts = Annotated[
    tuple[str, ...], BeforeValidator(lambda one: (one,) if isinstance(one, str) else one)
]


class TagOptions(MenuOptions):
    """How an answer is marked.

    ``opens`` stands before it and ``closes`` after it; without ``closes`` the answer is the rest
    of the line. Several ``opens`` (and as many ``closes``, or one for all) give every response a
    mark of its own. ``stops``: whether the closing mark ends generation and so is not in the text.
    """

    opens: Texts = Field(min_length=1)
    closes: Texts = ()
    stops: bool = False

    @model_validator(mode="after")
    def _paired(self) -> TagOptions:
        if not all(mark.strip() for mark in (*self.opens, *self.closes)):
            raise ValueError("expected marks that are not empty")
        if len(self.closes) not in (0, 1, len(self.opens)):
            raise ValueError(f"expected {len(self.opens)} closes or one, got {len(self.closes)}")
        if len(self.opens) > 1 and self.shows == "pair" and self.values:
            raise ValueError("expected one mark for a verdict on a pair, or shows: list")
        return self


def tag(options: Mapping[str, Any], limits: Limits) -> Placed:
    """The contract ``tag``; its options are :class:`TagOptions`."""
    read = read_options(TagOptions, "contract 'tag'", options)
    menu = Menu(read, blanks=True)
    pairs = list(zip(read.opens, cycle(read.closes or ("",)), strict=False))
    finds = tuple(_Finder(*pair, stops=read.stops).places for pair in pairs)
    forms = dict.fromkeys(form for pair in pairs for form in _forms(*pair, menu))
    return Placed(read.shows, menu, finds, tuple(forms), read.closes if read.stops else ())


class _Finder:
    def __init__(self, opens: str, closes: str, *, stops: bool) -> None:
        self._opens = re.compile(rf"(?:\b|(?<!\w)){exact(opens)}(?:\b|(?!\w))")
        self._closes = re.compile(exact(closes)) if closes else None
        self._stops, self._told = stops, f"{opens}...{closes}"

    def places(self, text: str) -> Sequence[Place]:
        """Where answers stand in ``text``.

        Raises:
            ParseError: there is none, or one that does not close.
        """
        found: list[Place] = []
        while opened := self._opens.search(text, found[-1].end if found else 0):
            found.append(self._place(text, opened))
        if not found:
            raise ParseError(
                Reason.UNREADABLE,
                f"expected {quoted(self._told)}, got none; text ends {quoted(text[-_SHOWN:])}",
            )
        return found

    def _place(self, text: str, opened: re.Match[str]) -> Place:
        if self._closes is None:
            return _line(text, opened)
        if closed := self._closes.search(text, opened.end()):
            return Place(opened.start(), opened.end(), closed.start())
        if self._stops:
            return Place(opened.start(), opened.end(), len(text))
        open_end = quoted(text[opened.start() : opened.start() + _SHOWN])
        raise ParseError(
            Reason.UNREADABLE, f"expected {quoted(self._told)} that closes, got {open_end}"
        )


def _line(text: str, opened: re.Match[str]) -> Place:
    """The rest of the line, or of the next one that has any, without emphasis and full stop."""
    begin = _BLANKS.match(text, opened.end()).end()  # type: ignore[union-attr]
    newline = text.find("\n", begin)
    line = text[begin : newline if newline >= 0 else len(text)]
    bare = line.lstrip(_AROUND)
    begin += len(line) - len(bare)
    return Place(opened.start(), begin, begin + len(bare.rstrip(_AROUND + ".!")))


def _forms(opens: str, closes: str, menu: Menu) -> list[str]:
    """Patterns of the marks; one without a letter is a mark only with a value behind it."""
    values = "|".join(map(loose, menu.values)) or r"-?\s*\d"
    forms = [loose(mark) for mark in (opens, closes) if _LETTER.search(mark)]
    return forms if _LETTER.search(opens) else [*forms, rf"{loose(opens)}\s*(?:{values})"]
