"""Places in a text where an answer stands: all that are there must say the same, and mean it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from grm_plugin.contracts.menu import Menu
from grm_plugin.errors import ParseError, quoted
from grm_plugin.types import Reason


class Place(NamedTuple):
    """Where an answer stands: ``start`` of its mark, and ``begin`` to ``end`` of its content."""

    start: int
    begin: int
    end: int

    def of(self, text: str) -> str:
        """The content that stands here."""
        return text[self.begin : self.end]


# a line that only a prompt has: a judge that writes one goes on to a task of its own
_FRAME = re.compile(
    r"^[ \t]*(?:"
    r"\[(?:Conversation|Query|Question|Answer to check|Responses(?: to judge)?(?:: ?\d*)?"
    r"|The (?:Begin|Start) of (?:the )?(?:Response|Conversation|Assistant)[^\[\]\n]{0,40})\]"
    r"|#{2,6} ?(?:Conversation Context|Responses? to be Scored)"
    r"|<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>"
    r")",
    re.IGNORECASE | re.MULTILINE,
)
_NEXT_TASK = re.compile(r"^\W{0,8}(?:specific criteria|user:|human:)", re.IGNORECASE | re.MULTILINE)
# at the end of what stands before an answer; "I would not give it" is four words
_DENIAL = re.compile(
    r"(?:\b(?:not|never|cannot|neither|nor)|n['’]t|\b(?:instead of|rather than))"
    r"(?:[ \t]{1,4}[\w'’]{1,20}){0,4}[ \t*$(\"'`:]{0,8}\Z",
    re.IGNORECASE,
)
_BEFORE = 120


def refuse_frames(text: str) -> None:
    """Let a text pass that holds no frame of a prompt.

    Raises:
        ParseError: the judge did not stop, or writes the prompt again; whose answer the marks
            after that are can not be told.
    """
    if frame := _FRAME.search(text):
        raise ParseError(
            Reason.UNREADABLE,
            f"expected an answer, got a frame of the judge's own, {quoted(frame[0].strip())}; "
            "it ran on to another task",
        )


def agreed(text: str, places: Sequence[Place], menu: Menu) -> Place:
    """The last of ``places``, when all say the same and none is denied.

    Raises:
        ParseError: two differ, or words before one deny it.
    """
    last = menu.key(menu.items(places[-1].of(text)))
    for place in places:
        _refuse_denied(text, place)
        if menu.key(menu.items(place.of(text))) != last:
            between = text[place.end : places[-1].start]
            ran_on = " after it ran on to another task" if _NEXT_TASK.search(between) else ""
            raise ParseError(
                Reason.UNREADABLE,
                f"expected one answer, got {quoted(place.of(text))} "
                f"and {quoted(places[-1].of(text))}{ran_on}",
            )
    return places[-1]


def _refuse_denied(text: str, place: Place) -> None:
    """Let an answer pass that no words right before it deny, as in "I would not give ..."."""
    before = text[max(0, place.start - _BEFORE) : place.start]
    if denial := _DENIAL.search(before):
        raise ParseError(
            Reason.UNREADABLE,
            f"expected an answer, got {quoted(place.of(text))} denied by {quoted(denial[0])}",
        )


def loose(text: str) -> str:
    """A pattern for ``text`` with any gaps between its words and marks, for ``Contract.forms``."""
    return r"\s*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", text)))


def exact(text: str) -> str:
    """A pattern for ``text`` in which blanks may be of any kind and number."""
    return r"\s+".join(map(re.escape, text.split()))
