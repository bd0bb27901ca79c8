"""The pieces of a critique: which begin a passage about a response, and which end one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from grm_plugin.hosts.passages import marks
from grm_plugin.hosts.passages.clauses import may_turn
from grm_plugin.hosts.passages.names import Name, folded, name_at, names, of_several

_NEAR = 300  # characters of a sentence that are looked at before a comma
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
        sole: whether it can name no response but the one with which it begins.
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
    sole: bool = False

    @property
    def concludes(self) -> bool:
        """Whether it is the heading of a part about the responses together."""
        return self.structural and self.about_all and self.level <= PLAIN


def pieces(text: str, shown: int | None = None) -> Iterator[Piece]:
    """The pieces of a critique, from where its analysis begins up to where its scores do."""
    after_blank = False
    for line in _unquoted(critique(text)):
        if not line.strip():
            after_blank = True
            continue
        first = _piece(line, shown, after_blank=after_blank)
        if first.sole:
            yield first
        else:
            for number, sentence in enumerate(_sentences(line)):
                begins = number == 0
                yield _piece(sentence, shown, after_blank=after_blank and begins, begins=begins)
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


def _unquoted(lines: list[str]) -> Iterator[str]:
    """The lines that are the judge's own. A block of code that opens the text is the text."""
    fence, said = "", False
    for line in lines:
        mark = marks.FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1] if said else ""
        elif not marks.QUOTED.match(line):
            said = said or bool(line.strip())
            yield line


def _sentences(line: str) -> Iterator[str]:
    """A line, cut before each sentence that begins with the name of a response."""
    start = 0
    for end in _cuts(folded(line)):
        if line[start:end].strip():
            yield line[start:end].rstrip()
            start = end
    yield line[start:].rstrip()


def _cuts(plain: str) -> Iterator[int]:
    """Where the sentences of a line begin that are about one response, but for the first."""
    label = marks.LABEL.match(plain)
    if label and not (marks.ABOUT_ALL.match(plain) or _names_any(label[0])):
        yield label.end()
    last = 0
    for cut in marks.SENTENCE.finditer(plain):
        end = _behind_comma(plain, last, cut) if cut["comma"] else cut.end()
        if end is not None:
            yield end
            last = end


def _behind_comma(plain: str, last: int, cut: re.Match[str]) -> int | None:
    """Where to cut a sentence at a comma: before it where what leads in names no response."""
    begins = max(last, cut.start() - _NEAR)
    stop = marks.LAST_STOP.match(plain, begins, cut.start())
    begins = stop.end() if stop else begins
    before = plain[begins : cut.start()].rstrip("*_)]\"'`")
    named = [name.end for name in names(before)]
    if not named:
        return begins if stop else None
    return cut.end() if named[-1] < len(before) else None


def _names_any(plain: str) -> bool:
    return any(True for _ in names(plain))


def _piece(line: str, shown: int | None, *, after_blank: bool, begins: bool = True) -> Piece:
    plain, text = folded(line), line.strip()
    lead = marks.LEAD.match(plain)
    level = _level(lead) if lead and begins else PLAIN
    name = _begun(plain, lead.end() if lead else 0, shown)
    stands = (level, after_blank, not begins)
    sole = not may_turn(plain, name.end if name else 0)
    if name is None:
        return _of_none(text, *stands, sole=sole)
    if of_several(plain, name.end):
        return Piece(text, *stands, about_all=True)
    tail = marks.TAIL.match(plain, name.end)
    alone = not marks.WORD.search(plain, tail.end() if tail else name.end)
    return Piece(text, *stands, place=name.place, titles=tail is not None, alone=alone, sole=sole)


def _of_none(text: str, level: int, after_blank: bool, inside: bool, *, sole: bool) -> Piece:
    plain = folded(text)
    looks = plain.endswith(("*", "_", ":")) and marks.TITLE.match(plain)
    structural, about_all = level != PLAIN or bool(looks), bool(marks.ABOUT_ALL.match(plain))
    return Piece(
        text, level, after_blank, inside, structural=structural, about_all=about_all, sole=sole
    )


def _level(lead: re.Match[str]) -> int:
    if lead["hashes"]:
        return len(lead["hashes"])
    return LISTED + len(lead["indent"].expandtabs()) if lead["item"] else PLAIN


def _begun(plain: str, start: int, shown: int | None) -> Name | None:
    """The name with which a line begins, after its marks and words that link or lead to it."""
    link = marks.LINKED.match(plain, start)
    if name := name_at(plain, link.end() if link else start, shown):
        return name
    lead = marks.LEAD_IN.match(plain, start)
    if not lead or _names_any(lead[0]) or marks.ABOUT_ALL.match(plain, start):
        return None
    return name_at(plain, lead.end(), shown)
