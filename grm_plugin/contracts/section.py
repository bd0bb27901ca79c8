"""A marked section: ``[The Begin of Ranking Score] \\boxed{2} [The End of Ranking Score]``.

The last section of that name is the answer. An earlier one may only repeat it, or the instruction;
where the answer is boxed, so may a box after it that stands in no section of another name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from grm_plugin.contracts.boxed import FORM, find_boxes
from grm_plugin.contracts.menu import Menu, MenuOptions
from grm_plugin.contracts.placed import Placed
from grm_plugin.contracts.places import Place, exact, loose
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError, quoted
from grm_plugin.options import read_options
from grm_plugin.types import Reason


class SectionOptions(MenuOptions):
    """How a section is marked.

    ``section`` is its name, written for ``{section}`` in the marks. ``box``: whether the answer is
    boxed in it. ``stops``: whether the closing mark ends generation and so is not in the text.
    """

    section: str = Field(min_length=1)
    opens: str = Field("[The Begin of {section}]", min_length=1)
    closes: str = Field("[The End of {section}]", min_length=1)
    box: bool = True
    stops: bool = False


def section(options: Mapping[str, Any], limits: Limits) -> Placed:
    """The contract ``section``; its options are :class:`SectionOptions`."""
    read = read_options(SectionOptions, "contract 'section'", options)
    opens, closes = (mark.replace("{section}", read.section) for mark in (read.opens, read.closes))
    menu = Menu(read)
    finder = _Finder(opens, closes, menu, read)
    forms = (loose(opens), loose(closes), *([FORM] if read.box else []))
    return Placed(read.shows, menu, (finder.places,), forms, (closes,) if read.stops else ())


class _Finder:
    def __init__(self, opens: str, closes: str, menu: Menu, options: SectionOptions) -> None:
        self._mark = re.compile(f"(?P<opens>{exact(opens)})|{exact(closes)}")
        self._any = re.compile(f"(?P<opens>{_of_any(options.opens)})|{_of_any(options.closes)}")
        self._told, self._menu, self._options = f"{opens} ... {closes}", menu, options

    def places(self, text: str) -> Sequence[Place]:
        """Where answers stand in the sections of ``text``.

        Raises:
            ParseError: a section does not close, or there is no answer in the last one.
        """
        sections = self._sections(text)
        found = [self._answers(text, section) for section in sections]
        if not found or not found[-1]:
            raise ParseError(
                Reason.UNREADABLE,
                f"expected an answer in {quoted(self._told)}, got none; "
                f"text ends {quoted(text[-60:])}",
            )
        after = self._after(text, sections[-1].end) if self._options.box else []
        return [*after, *(place for places in found for place in places)]

    def _after(self, text: str, end: int) -> list[Place]:
        """The boxes after the section that ends at ``end``, in no other: they must say the same."""
        found: list[Place] = []
        begin: int | None = None  # of another section
        for mark in self._any.finditer(text, end):
            if mark["opens"] and begin is None:
                found += find_boxes(text, self._menu, end, begin := mark.start())
            elif not mark["opens"]:
                end, begin = mark.end(), None
        return found + find_boxes(text, self._menu, end if begin is None else begin, len(text))

    def _sections(self, text: str) -> list[Place]:
        """Every section; a closing mark closes the opening mark before it, and nothing else."""
        marks = list(self._mark.finditer(text))
        if self._options.stops and marks and marks[-1]["opens"]:
            bounds = [*[mark.span() for mark in marks], (len(text), len(text))]
            kinds = [*[bool(mark["opens"]) for mark in marks], False]
        else:
            bounds = [mark.span() for mark in marks]
            kinds = [bool(mark["opens"]) for mark in marks]
        if kinds != [True, False] * (len(kinds) // 2):
            raise ParseError(
                Reason.UNREADABLE, f"expected {quoted(self._told)}, got marks that do not pair"
            )
        pairs = zip(bounds[::2], bounds[1::2], strict=True)
        return [Place(opens[0], opens[1], closes[0]) for opens, closes in pairs]

    def _answers(self, text: str, section: Place) -> Sequence[Place]:
        if not self._options.box:
            return [section]
        return find_boxes(text, self._menu, section.begin, section.end)


def _of_any(mark: str) -> str:
    """A pattern for ``mark`` with any name in the place of ``{section}``."""
    return r"[^\[\]<>]{1,60}".join(map(re.escape, mark.split("{section}"))).replace(r"\ ", r"\s+")
