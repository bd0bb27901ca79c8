"""Which part of a judge's critique is about which response.

Judges write headings, lists, prose or JSON, in any order, in English or Chinese. A passage begins
where a line, a sentence or a clause begins with the name of one response, and ends where another
one's does, where the text turns to all of them, or where the scores begin. Lines that a judge
quotes are left out. What can not be told is nobody's: a passage may be shorter than it could be,
and never holds a clause about another response; it may compare the two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from grm_plugin.hosts.passages.clauses import Owned, owned
from grm_plugin.hosts.passages.fields import unfolded
from grm_plugin.hosts.passages.lines import LISTED, PLAIN, Piece, critique, pieces
from grm_plugin.hosts.passages.names import folded, names
from grm_plugin.thinking import Thinking

_MOST = 200_000
_THINKING = Thinking()


def passage(text: str, place: int, shown: int | None = None) -> list[str]:
    """The lines of a judge's text about the response it saw at ``place``.

    Args:
        text: what the judge wrote, thinking included.
        place: from 1 on.
        shown: how many responses it saw; None: not known.

    >>> passage("Response 1: late.\\nResponse 2: exact.\\nBrief too.\\n\\nScores: ...", 2)
    ['Response 2: exact.', 'Brief too.']
    """
    return passages(text, shown).get(place, [])


def passages(text: str, shown: int | None = None) -> dict[int, list[str]]:
    """The lines about each response by its place, for those about which there are any.

    Where a judge goes through its criteria and for each of them through the responses, every part
    of a passage stands behind the heading of its criterion.

    Args:
        text, shown: as in :func:`passage`. Only the first 200,000 characters are looked at.
    """
    answer = unfolded(_THINKING.answer(text[:_MOST]), shown)
    found: dict[int, list[_Section]] = {}
    for section in _sections(list(pieces(answer, shown)), shown):
        if section.says_something:
            found.setdefault(section.place, []).append(section)
    return {place: _joined(sections) for place, sections in found.items()}


def whole(text: str) -> list[str]:
    """The lines of a judge's text about the only response it saw: all of its analysis.

    >>> whole("Specific Criteria: exact.\\nAnalysis: It is late.\\nScores: \\\\boxed{3}")
    ['It is late.']
    """
    lines = critique(unfolded(_THINKING.answer(text[:_MOST])))
    return [line.strip() for line in lines if line.strip()]


@dataclass
class _Section:
    """What is said of a response in one go.

    Args:
        first: where it begins.
        heading: of the criterion that it stands under.
        shown: how many responses the judge saw.
        lines: of it, so far.
        doubtful: whether another response was named last.
        closed: whether it turned to another response.
    """

    first: Piece
    heading: str
    shown: int | None
    lines: list[str] = field(default_factory=list)
    doubtful: bool = False
    closed: bool = False

    def __post_init__(self) -> None:
        self.add(self.first)

    def add(self, piece: Piece) -> None:
        """One more piece: a line, or the rest of the last one; what is said of others is not."""
        mine = Owned(piece.text, whole=True, doubtful=False)
        if self.doubtful or not piece.sole:
            mine = owned(piece.text, self.place, self.shown, doubtful=self.doubtful)
        self.doubtful = mine.doubtful
        self.closed = not (mine.whole or self.first.titles)
        if piece.inside and self.lines and mine.text:
            self.lines[-1] += f" {mine.text}"
        elif mine.text:
            self.lines.append(mine.text)

    @property
    def place(self) -> int:
        return self.first.place or 0

    @property
    def says_something(self) -> bool:
        return bool(self.lines) and (not self.first.alone or len(self.lines) > 1)


def _joined(sections: Sequence[_Section]) -> list[str]:
    if len(sections) == 1:
        return sections[0].lines
    lines = [[*filter(None, [one.heading]), *one.lines] for one in sections]
    return [line for each in lines for line in each]


def _sections(found: Sequence[Piece], shown: int | None) -> Iterator[_Section]:
    """The sections in their order; of those that stand one in another only the inner."""
    current: _Section | None = None
    heading, seen = "", set[int]()
    for piece, following in zip(found, _following(found), strict=True):
        if piece.concludes and seen and (following is None or following in seen):
            break
        if current and _is_aside(piece, current):
            current.doubtful = True
            continue
        if piece.place is not None:
            if current:
                yield current
            current = _Section(piece, heading, shown)
            seen.add(piece.place)
        elif current and not (current.closed or _ends(piece, current.first, following, seen)):
            current.add(piece)
        else:
            heading = piece.text if piece.structural else heading
            if current:
                yield current
            current = None
    if current:
        yield current


def _is_aside(piece: Piece, current: _Section) -> bool:
    """Whether a line under the heading of one response says something of another in passing."""
    other = piece.place not in (None, current.place)
    return current.first.titles and other and piece.inside and not piece.titles


def _following(found: Sequence[Piece]) -> list[int | None]:
    """For each piece, which response's passage begins next after it."""
    following: list[int | None] = []
    place = None
    for piece in reversed(found):
        following.append(place)
        place = place if piece.place is None else piece.place
    return following[::-1]


def _ends(piece: Piece, first: Piece, following: int | None, seen: Collection[int]) -> bool:
    """Whether ``piece`` is no more part of what ``first`` began.

    Args:
        piece: names no response.
        first: where the section begins.
        following: the response whose section begins next; None: no one's.
        seen: the responses that had a section before. Where one of them follows, the judge goes
            through its criteria, and a heading is that of the next.
    """
    if piece.about_all and (piece.level < LISTED or piece.level <= first.level):
        return True  # an item of a list about one response may begin so, too
    if piece.structural:
        return piece.level < min(first.level, PLAIN) or (
            piece.level <= first.level and following in seen
        )
    others = {one.place for one in names(folded(piece.text))} - {first.place}
    if not first.titles:
        return piece.after_blank or bool(others)
    ends = following in seen or (following is None and not first.alone) or bool(others)
    return piece.after_blank and ends
