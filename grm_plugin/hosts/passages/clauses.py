"""How far a text speaks of one response: up to a clause that another one has for itself."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grm_plugin.hosts.passages import marks
from grm_plugin.hosts.passages.names import Name, folded, may_name, names

_OTHER = 0  # the place of a response that is only called the other one
_SIGNS = ("other", "latter", "former", "Other", "Latter", "Former", "另", "前", "后")


class Owned(NamedTuple):
    """What of a text is said of one response.

    Args:
        text: its first clauses.
        whole: whether these are all of it.
        doubtful: whether another response was named last, so that a pronoun may mean that one.
    """

    text: str
    whole: bool
    doubtful: bool


def owned(text: str, place: int, shown: int | None, *, doubtful: bool = False) -> Owned:
    """The first clauses of ``text``, up to one that is about another response.

    Args:
        text: a line or a sentence of a passage.
        place: of the response that the passage is about, from 1 on.
        shown: how many responses the judge saw; None: not known.
        doubtful: of the text before it.

    >>> owned("It is right whereas Response 2 is not and lies.", 1, 2).text
    'It is right'
    """
    plain = folded(text)
    for sentence in marks.FULL_STOP.finditer(plain):
        mentions = sorted(_mentions(sentence[0], shown), key=lambda one: one.start)
        if marks.THE_OTHER.match(sentence[0]) or (doubtful and marks.PRONOUN.match(sentence[0])):
            return Owned(text[: sentence.start()].rstrip(), False, True)
        end = _end(sentence[0], place, mentions)
        if end is not None:
            return Owned(text[: sentence.start() + end].rstrip(), False, True)
        doubtful = any(one.place != place for one in mentions)
    return Owned(text, True, doubtful)


def may_turn(plain: str, start: int) -> bool:
    """Whether a text can speak of another response behind ``start``: quick to tell."""
    return may_name(plain, start) or any(map(plain.__contains__, _SIGNS))


def _end(sentence: str, place: int, mentions: Sequence[Name]) -> int | None:
    """Where a sentence turns to another response; None where it does not."""
    own = [one.start for one in mentions if one.place == place]
    others = [one for one in mentions if one.place != place]
    begins = [*marks.BOUNDARY.finditer(sentence)] if others else []
    ends = [one.end() for one in begins]
    for other in others:
        before = bisect_right(ends, other.start)
        start = ends[before - 1] if before else 0
        if _in_passing(sentence, other) or bisect_left(own, start) < bisect_left(own, other.start):
            continue
        return _up_to(sentence, begins[before - 1], own) if before else 0
    return None


def _up_to(sentence: str, begun: re.Match[str], own: Sequence[int]) -> int:
    """How much of a sentence to keep before a clause; what may lead in to the clause is not."""
    if not begun["comma"]:
        return begun.start()
    named = own and own[0] < begun.start() and not _is_compared(sentence, own[0])
    return begun.end() if named else 0


def _in_passing(sentence: str, name: Name) -> bool:
    return _is_compared(sentence, name.start) and not marks.OF_WHICH.match(sentence, name.end)


def _is_compared(sentence: str, start: int) -> bool:
    """Whether a name that begins there is only what another response is compared with."""
    return bool(marks.IN_PASSING.search(sentence, max(0, start - 40), start))


def _mentions(sentence: str, shown: int | None) -> Iterator[Name]:
    """All responses that a sentence speaks of."""
    yield from names(sentence, shown)
    for found in marks.OTHER.finditer(sentence):
        yield Name(_OTHER, *found.span())
