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


# what only a prompt has at the start of a line: who writes it goes on to a task of its own
_FRAME = re.compile(
    r"\[(?:Conversation|Query|Question|Answer to check|Responses(?: to judge)?(?:: ?\d*)?"
    r"|(?:The )?(?:Begin|Start) of (?:the )?(?:Response|Conversation|Assistant|Model)"
    r"[^\[\]\n]{0,40})\]"
    r"|##{1,5} ?(?:Conversation Context|Responses? to be Scored)"
    r"|<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>",
    re.IGNORECASE,
)
_INDENT = 200
_NEXT_TASK = re.compile(r"^\W{0,8}(?:specific criteria|user:|human:)", re.IGNORECASE | re.MULTILINE)
# at the end of what stands before an answer; "I would not give it" is four words
_DENIAL = re.compile(
    r"(?:\b(?:not|never|cannot|neither|nor)|n['’]t|\b(?:instead of|rather than))"
    r"(?:[ \t]{1,4}[\w'’]{1,20}){0,4}[ \t*$(\"'`:]{0,8}\Z",
    re.IGNORECASE,
)
_DENYING = ("not", "n't", "n’t", "never", "neither", "nor", "instead of", "rather than")
_BEFORE = 120


def refuse_frames(text: str) -> None:
    """Let a text pass that holds no frame of a prompt.

    Raises:
        ParseError: the judge did not stop, or writes the prompt again; whose answer the marks
            after that are can not be told.
    """
    for frame in _FRAME.finditer(text):
        before = text[max(0, frame.start() - _INDENT) : frame.start()].rstrip(" \t")
        if not before or before.endswith("\n"):
            raise ParseError(
                Reason.UNREADABLE,
                f"expected an answer, got a frame of the judge's own, {quoted(frame[0])}; "
                "it ran on to another task",
            )


def agreed(text: str, places: Sequence[Place], menu: Menu) -> Place:
    """The last of ``places``, when all say the same and none is denied.

    Raises:
        ParseError: two differ, or words before one deny it.
    """
    last = places[-1]
    said = menu.key(menu.items(last.of(text))) if len(places) > 1 else ()
    for place in places:
        _refuse_denied(text, place)
        if place is not last and menu.key(menu.items(place.of(text))) != said:
            ran_on = _NEXT_TASK.search(text[place.end : last.start])
            raise ParseError(
                Reason.UNREADABLE,
                f"expected one answer, got {quoted(place.of(text))} and {quoted(last.of(text))}"
                + " after it ran on to another task" * bool(ran_on),
            )
    return last


def _refuse_denied(text: str, place: Place) -> None:
    """Let an answer pass that no words right before it deny, as in "I would not give ..."."""
    before = text[max(0, place.start - _BEFORE) : place.start]
    lowered = before.lower()
    if not any(word in lowered for word in _DENYING):
        return  # most answers; the pattern alone is much slower
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
