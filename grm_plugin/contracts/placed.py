"""Contracts whose answer stands in a place of the text: in a box, in a section, behind a mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grm_plugin.contracts.contract import Answer, Reading, Shows
from grm_plugin.contracts.menu import Menu
from grm_plugin.contracts.places import Place, agreed, refuse_frames

Find = Callable[[str], Sequence[Place]]
Check = Callable[[Answer, Place], None]


@dataclass
class Placed:
    """Finds the places, lets only what they all say pass, and looks it up on the menu.

    Args:
        shows: how many responses one call shows.
        menu: what may stand in a place.
        finds: each finds every place of one answer in a text, at least one, or raises ParseError;
            several of them when every response has a mark of its own.
        forms: patterns of the marks.
        stop: texts that end an answer.
        logprobs: none are needed.
        check: raises ParseError for what a text says besides the last place.
    """

    shows: Shows
    menu: Menu
    finds: tuple[Find, ...]
    forms: tuple[str, ...]
    stop: tuple[str, ...] = ()
    logprobs: int = 0
    check: Check | None = None

    def read(self, answer: Answer) -> Reading:
        """The scores that stand in the places."""
        places = self.places(answer.text)
        if self.check:
            self.check(answer, places[-1])
        items = [item for place in places for item in self.menu.items(place.of(answer.text))]
        return Reading(self.menu.scores(items, answer))

    def places(self, text: str) -> list[Place]:
        """Where in ``text`` the answer stands: one place, or one for each response.

        Raises:
            ParseError: there is no one answer.
        """
        refuse_frames(text)
        return [agreed(text, find(text), self.menu) for find in self.finds]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in ``text`` every item of the answer stands, in the order of the responses.

        Raises:
            ParseError: there is no one answer.
        """
        return [
            (place.begin + start, place.begin + end)
            for place in self.places(text)
            for start, end in self.menu.spans(place.of(text))
        ]
