"""Reads a judgment back from its text: what it says, and where it contradicts itself.

Nothing here knows the query or the responses: what it counts, any reader of the text can see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from grm_plugin.reference.tasks.judgment import points_of
from grm_plugin.reference.tasks.task import OPENINGS

# No number is longer than nine digits: int() raises on a few thousand.
_CRITERION = re.compile(r"^\d+\. (.*) \(weight (\d{1,9})\)$", re.MULTILINE)
_CRITIQUE = re.compile(r"^Response (\d{1,9}) of \d+: .*?\. (.*)\. Score (\d{1,9})\.$", re.MULTILINE)
_BOX = re.compile(r"\\boxed\{(\d{1,9}(?:, \d{1,9})*)\}$")


@dataclass(frozen=True, slots=True)
class ReadCritique:
    """What a judgment says of the response at `place` (from 1): evidence, verdicts, score."""

    place: int
    evidence: tuple[str, ...]
    verdicts: tuple[bool, ...]
    score: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The parts of a judgment: titles and weights of its criteria, critiques, boxed scores."""

    titles: tuple[str, ...]
    weights: tuple[int, ...]
    critiques: tuple[ReadCritique, ...]
    boxed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slips:
    """How often judgments contradict themselves: chances to do so, and how many were taken.

    Attributes:
        verdicts: ok or bad after evidence that says which is right.
        flipped: those that say the other.
        scores: of critiques whose checks are as many as the criteria.
        miscounted: those that are not the sum of the weights called ok.
        boxes: boxed scores of which a critique names the score.
        miscopied: those that differ from it.
    """

    verdicts: int = 0
    flipped: int = 0
    scores: int = 0
    miscounted: int = 0
    boxes: int = 0
    miscopied: int = 0

    def __add__(self, other: Slips) -> Slips:
        names = (field.name for field in fields(Slips))
        return Slips(*(getattr(self, name) + getattr(other, name) for name in names))

    @property
    def total(self) -> int:
        """All contradictions together."""
        return self.flipped + self.miscounted + self.miscopied


def read_judgment(text: str) -> Reading:
    """The parts of `text`; what does not have the form of a judgment is left out."""
    criteria = _CRITERION.findall(text)
    box = _BOX.search(text)
    return Reading(
        tuple(name for name, _ in criteria),
        tuple(int(weight) for _, weight in criteria),
        tuple(_read_critique(*found) for found in _CRITIQUE.findall(text)),
        tuple(int(one) for one in box.group(1).split(", ")) if box else (),
    )


def find_slips(text: str) -> Slips:
    """The contradictions that any reader of `text` can see.

    >>> find_slips(
    ...     "1. include teapot (weight 10)\\n"
    ...     "Response 1 of 1: sunset1. teapot absent, ok. Score 9.\\n"
    ...     "Scores: \\\\boxed{9}"
    ... )
    Slips(verdicts=1, flipped=1, scores=1, miscounted=1, boxes=1, miscopied=0)
    """
    reading = read_judgment(text)
    told = list(_told(reading))
    sums = [_is_sum(reading, one) for one in reading.critiques if _is_whole(reading, one)]
    boxes = list(zip((one.score for one in reading.critiques), reading.boxed, strict=False))
    return Slips(
        len(told),
        sum(said != implied for said, implied in told),
        len(sums),
        sums.count(False),
        len(boxes),
        sum(score != boxed for score, boxed in boxes),
    )


def implied(title: str, evidence: str) -> bool | None:
    """The verdict that `evidence` gives on the criterion `title`; None where it gives none.

    >>> implied("at most 3 items", "counts 4"), implied("include teapot", "sunset found")
    (False, None)
    """
    for pattern, verdict in _IMPLIED:
        if match := re.fullmatch(pattern, f"{title} | {evidence}"):
            return verdict(*match.groups())
    return None


def _read_critique(place: str, checks: str, score: str) -> ReadCritique:
    parts = [check.rpartition(", ") for check in checks.split("; ")]
    evidence = tuple(seen for seen, _, _ in parts)
    return ReadCritique(
        int(place), evidence, tuple(verdict == "ok" for _, _, verdict in parts), int(score)
    )


def _told(reading: Reading) -> Iterator[tuple[bool, bool]]:
    """Verdicts as said and as their evidence implies."""
    for critique in reading.critiques:
        checks = zip(reading.titles, critique.evidence, critique.verdicts, strict=False)
        for title, evidence, said in checks:
            verdict = implied(title, evidence)
            if verdict is not None:
                yield said, verdict


def _is_whole(reading: Reading, critique: ReadCritique) -> bool:
    return len(critique.verdicts) == len(reading.weights)


def _is_sum(reading: Reading, critique: ReadCritique) -> bool:
    return critique.score == points_of(reading.weights, critique.verdicts)


_IMPLIED: tuple[tuple[str, Callable[..., bool]], ...] = (
    (r"exactly (\d+) items \| counts (\d+)", lambda asked, found: asked == found),
    (r"at most (\d{1,9}) items \| counts (\d{1,9})", lambda asked, found: int(found) <= int(asked)),
    (r"include (\w+) \| \1 (found|absent)", lambda _, seen: seen == "found"),
    (r"exclude (\w+) \| \1 (found|absent)", lambda _, seen: seen == "absent"),
    (r"start with (\w+) \| starts (\w+)", lambda asked, found: asked == found),
    (r"(\w+) before (\w+) \| (\1|\2) leads", lambda first, _, leads: first == leads),
    (r"(\w+) before (\w+) \| (\1|\2) absent", lambda *_: False),
    (r"no item twice \| repeats (\w+)", lambda found: found == "none"),
    (r"end with \d+ \+ \d+ \| sum (\d+), ends (\w+)", lambda asked, found: asked == found),
    (r"(\w+) opening \| opens (.+)", lambda tone, opening: opening in OPENINGS.get(tone, ())),
)
