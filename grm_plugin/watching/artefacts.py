"""What responses share that no good one needs: texts that were named, and how they begin.

Responses are untrusted, and a pattern must not stall a run: there are no regular expressions here.
A pattern is a chain of fixed texts, each sought once behind the one before, in a bounded text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grm_plugin.watching.moments import Decaying, Moments
from grm_plugin.watching.openings import Openings, opening_of

MOST_CHARACTERS = 20_000
"""Of a response that are looked at."""
RISE = 0.1
"""A rise of an artefact's share below which it never alarms."""
ERRORS = 3.0
"""Standard errors beyond it that are needed, as if the responses of a group were one."""
PRESENT = 8.0
"""Rounds over which the present share is averaged."""


def plain(text: str) -> str:
    """The start of ``text`` as patterns see it: small letters, and single spaces between words."""
    return " ".join(text[:MOST_CHARACTERS].casefold().split())


@dataclass(frozen=True)
class Pattern:
    """A text with ``*`` for anything, and ``^`` at its start for the start of a response.

    Case and the kind of white space do not matter. A blank at an end of a fixed text is the end of
    a word: white space, or where a response starts or ends.

    Args:
        parts: fixed texts, in their order.
        at_start: whether the first stands at the start.

    >>> pattern = Pattern.of("^as an expert*great answer")
    >>> pattern.is_in(plain("As an  expert I can say: a GREAT answer!"))
    True
    >>> pattern.is_in(plain("Great answer, as an expert"))
    False
    >>> [Pattern.of(" ai ").is_in(plain(text)) for text in ("As an AI", "Try again")]
    [True, False]
    """

    parts: tuple[str, ...]
    at_start: bool

    @classmethod
    def of(cls, text: str) -> Pattern:
        """The pattern that ``text`` writes."""
        first, *others = text.removeprefix("^").split("*")
        at_start = text.startswith("^") and bool(first.strip())
        parts = [f" {first.lstrip()}" if at_start else first, *others]
        return cls(tuple(_words(part) for part in parts if part.strip()), at_start)

    def is_in(self, text: str) -> bool:
        """Whether it matches a text that is :func:`plain`; in time that grows with its length."""
        text, place = f" {text} ", 0
        if self.at_start and not text.startswith(self.parts[0]):
            return False
        for part in self.parts:
            place = text.find(part, place)
            if place < 0:
                return False
            place += len(part.rstrip())
        return True


def _words(part: str) -> str:
    """As :func:`plain`, but for a blank at an end, which is kept."""
    before, after = (" " if end.isspace() else "" for end in (part[0], part[-1]))
    return f"{before}{plain(part)}{after}"


@dataclass
class Seen:
    """What was found in the responses of a round.

    Args:
        groups: that were looked at.
        found: responses that match, by the name of a pattern.
        openings: how they begin, and how many responses there are.
    """

    groups: int = 0
    found: Counter[str] = field(default_factory=Counter)
    openings: Openings = field(default_factory=Openings)

    @property
    def responses(self) -> int:
        """That were looked at."""
        return self.openings.responses

    def add(self, texts: Sequence[str], patterns: Mapping[str, Pattern], words: int) -> None:
        """Look at the responses of one group.

        Args:
            texts: the responses.
            patterns: by name.
            words: of an opening.
        """
        self.groups += 1
        for text in texts:
            self.openings.add(opening_of(text, words))
            shown = plain(text) if patterns else ""
            self.found.update(name for name, one in patterns.items() if one.is_in(shown))

    def share(self, name: str) -> float:
        """Of the responses that match a pattern, 0..1; NaN of none."""
        return self.found[name] / self.responses if self.responses else math.nan


@dataclass
class Rise:
    """Whether one artefact has become common since the start.

    Args:
        rounds: of the start, over which the usual share is taken.
    """

    rounds: int
    usual: Moments = field(default_factory=Moments)
    _present: Decaying = field(default_factory=lambda: Decaying(PRESENT))
    _groups: Decaying = field(default_factory=lambda: Decaying(PRESENT))

    def add(self, share: float, groups: int) -> None:
        """Count one round: the share of its responses, and of how many groups they are."""
        if self.usual.count < self.rounds:
            self.usual.add(share, groups)
            return
        self._present.add(share)
        self._groups.add(groups)

    @property
    def value(self) -> float:
        """By how much the share is above the usual one, smoothed; 0 during the start."""
        return self._present.value - self.usual.x if self._present.rounds else 0.0

    @property
    def alarms(self) -> bool:
        """Whether it rose by :data:`RISE` and clearly more than chance among groups explains."""
        return self.over(1.0)

    def over(self, part: float) -> bool:
        """Whether it rose by more than that part of what alarms."""
        if not self._present.rounds:
            return False
        share = self._present.value
        groups = self._groups.value * (2 * self._present.rounds - 1)
        error = math.sqrt(max(share * (1 - share), 0.05) / groups)
        return self.value > part * (RISE + ERRORS * error)
