"""The pieces of a critique: which begin a passage about a response, and which end one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from grm_plugin.hosts.passages import marks
from grm_plugin.hosts.passages.names import Name, folded, name_at, names, of_several

PLAIN, LISTED = 10, 20
"""Levels of text, and of a list without indent; those of headings are 1 to 6."""


class Piece(NamedTuple):
    """A line, or a sentence of one.

    Args:
        text: as the judge wrote it, without blanks around it.
        level: how far in it stands: lower is farther out, as headings are.
        after_blank: whether a blank line stands before it.
        inside: whether something stands before it on its line.
        place: the response whose passage it begins; None: of none.
        titles: whether it begins the passage as a heading does, not as a sentence.
        alone: whether it holds nothing besides that name.
        structural: whether it is a heading or an item of a list.
        about_all: whether it speaks of the responses together.
    """

    text: str
    level: int = PLAIN
    after_blank: bool = False
    inside: bool = False
    place: int | None = None
    titles: bool = False
    alone: bool = False
    structural: bool = False
    about_all: bool = False

    @property
    def concludes(self) -> bool:
        """Whether it is the heading of a part about the responses together."""
        return self.structural and self.about_all and self.level <= PLAIN


def pieces(text: str, shown: int | None = None) -> Iterator[Piece]:
    """The pieces of a critique, from where its analysis begins up to where its scores do."""
    after_blank = False
    for line in critique(text):
        if not line.strip():
            after_blank = True
            continue
        for number, sentence in enumerate(_sentences(line)):
            yield _piece(sentence, shown, after_blank=after_blank, begins=not number)
            after_blank = False


def critique(text: str) -> list[str]:
    """The lines between the heading of the analysis, if there is one, and the scores."""
    if cut := marks.ANSWER.search(text):
        text = text[: cut.start()]
    lines = text.splitlines()
    plain = list(map(folded, lines))
    ends = next((n for n, line in enumerate(plain) if marks.SCORES.match(line)), len(lines))
    for number, line in enumerate(plain[:ends]):
        if heading := marks.ANALYSIS.match(line):
            return [lines[number][heading.end() :], *lines[number + 1 : ends]]
    return lines[:ends]


def _sentences(line: str) -> Iterator[str]:
    """A line, cut before each sentence that begins with the name of a response."""
    start = 0
    for cut in marks.SENTENCE.finditer(folded(line)):
        if line[start : cut.end()].strip():
            yield line[start : cut.end()].rstrip()
            start = cut.end()
    yield line[start:].rstrip()


def _piece(line: str, shown: int | None, *, after_blank: bool, begins: bool) -> Piece:
    plain, text = folded(line), line.strip()
    lead = marks.LEAD.match(plain)
    level = _level(lead) if lead and begins else PLAIN
    name = _begun(plain, lead.end() if lead else 0, shown)
    stands = (level, after_blank, not begins)
    if name is None:
        return _of_none(text, *stands)
    if of_several(plain, name.end):
        return Piece(text, *stands, about_all=True)
    tail = marks.TAIL.match(plain, name.end)
    alone = not marks.WORD.search(plain, tail.end() if tail else name.end)
    said = text if tail else _own(text, name.place, shown)
    return Piece(said, *stands, place=name.place, titles=tail is not None, alone=alone)


def _of_none(text: str, level: int, after_blank: bool, inside: bool) -> Piece:
    plain = folded(text)
    looks = plain.endswith(("*", "_", ":")) and marks.TITLE.match(plain)
    structural, about_all = level != PLAIN or bool(looks), bool(marks.ABOUT_ALL.match(plain))
    return Piece(text, level, after_blank, inside, structural=structural, about_all=about_all)


def _own(text: str, place: int, shown: int | None) -> str:
    """The first sentences of ``text``, up to one that names other responses alone."""
    for sentence in marks.FULL_STOP.finditer(text):
        named = {one.place for one in names(folded(sentence[0]), shown)}
        if named and place not in named:
            return text[: sentence.start()].rstrip()
    return text


def _level(lead: re.Match[str]) -> int:
    if lead["hashes"]:
        return len(lead["hashes"])
    return LISTED + len(lead["indent"].expandtabs()) if lead["item"] else PLAIN


def _begun(plain: str, start: int, shown: int | None) -> Name | None:
    """The name with which a line begins, after its marks and a word that links it to the last."""
    link = marks.LINKED.match(plain, start)
    return name_at(plain, link.end() if link else start, shown)
