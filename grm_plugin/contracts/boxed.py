"""From a judge's text to N scores, or a ParseError. Strict: no salvage chain, no guess.

The scores are the numbers in the last ``\\boxed{...}`` that stands outside thinking text. Exactly
N plain decimal numbers, separated by commas, each within the scale. Anything else is an error
with a reason that can be counted.
"""

from __future__ import annotations

import re

from grm_plugin.errors import ParseError, quoted
from grm_plugin.types import Principle, Reason, Scale

_BOX = re.compile(r"\\boxed\s*\{([^{}]*)\}")
_BOX_START = "\\boxed"
_NUMBER = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,6})?")
_THINK_OPEN = re.compile(r"<think(?:ing)?>", re.I)
_THINK_CLOSE = re.compile(r"</think(?:ing)?>", re.I)


def parse_scores(text: str, *, n: int, scale: Scale) -> tuple[float, ...]:
    """The N scores (points) a judge boxed, in the order the responses were shown.

    Args:
        text: what the judge wrote, with or without thinking.
        n: how many responses it was shown.
        scale: the closed range of a score.

    Raises:
        ParseError: ``unreadable``, ``wrong_count`` or ``out_of_range``.

    >>> parse_scores("... \\\\boxed{7, 3} as in [1, 2]", n=2, scale=Scale(1, 10))
    (7.0, 3.0)
    """
    content = _last_box(answer(text))
    items = [item.strip() for item in content.split(",")]
    for item in items:
        if not _NUMBER.fullmatch(item):
            raise ParseError(
                Reason.UNREADABLE, f"expected {n} numbers in the box, got {quoted(content)}"
            )
    if len(items) != n:
        raise ParseError(
            Reason.WRONG_COUNT, f"expected {n} scores, got {len(items)} in {quoted(content)}"
        )
    return tuple(_in_range(float(item), scale) for item in items)


def answer(text: str) -> str:
    """``text`` without its thinking part.

    Thinking runs from ``<think>`` (or ``<thinking>``) to its closing tag; one that never ends runs
    to the end, and an end without a start (the chat template opened it) counts from the beginning.
    """
    text = _THINK_CLOSE.split(text)[-1]
    return _THINK_OPEN.split(text, maxsplit=1)[0]


def _last_box(text: str) -> str:
    start = text.rfind(_BOX_START)
    if start < 0:
        raise ParseError(
            Reason.UNREADABLE,
            f"expected a \\boxed{{...}}, got none; text ends {quoted(text[-60:])}",
        )
    box = _BOX.match(text, start)
    if box is None:
        raise ParseError(
            Reason.UNREADABLE, f"expected numbers in the last box, got {quoted(text[start:])}"
        )
    return box.group(1)


def _in_range(score: float, scale: Scale) -> float:
    if not scale.low <= score <= scale.high:
        raise ParseError(
            Reason.OUT_OF_RANGE, f"expected scores {scale.low:g}..{scale.high:g}, got {score:g}"
        )
    return score


_CRITERIA = re.compile(r"(?:specific\s+criteria|principles)\W*$|^\W*specific\s+criteria")
_NEXT_PART = re.compile(r"^\W*(analysis|scores?|output)\b", re.I)
_ITEM = re.compile(r"^\W*?(?:[-*•]\s|\d{1,2}[.):、](?!\d))\s*(?P<text>\S.*)$")
# gaps are bounded, so that a long run of blanks costs no more than its length
_WEIGHT = re.compile(
    r"(?:weight\W{1,4})?(?P<percent>\d{1,3}(?:\.\d{1,4})?)\s{0,2}[%％]"
    r"|weight\W{1,4}(?P<points>\d{1,3}(?:\.\d{1,4})?)",
    re.I,
)


def parse_principles(text: str) -> tuple[Principle, ...]:
    """The principles a judge listed under its criteria heading, with weights where it named them.

    Lenient and for reports only: nothing here influences a reward. Unreadable means empty.
    """
    lines = iter(answer(text)[:20_000].splitlines())
    for line in lines:
        if _heads_criteria(line.lower()):
            break
    found = []
    for line in lines:
        if _NEXT_PART.match(line):
            break
        if item := _ITEM.match(line):
            found.append(_principle(item["text"]))
    return tuple(found)


def _heads_criteria(line: str) -> bool:
    # looked for as words first: on a long line of a critique the pattern alone is many times slower
    return ("criteria" in line or "principles" in line) and bool(_CRITERIA.search(line))


def _principle(text: str) -> Principle:
    weight = _WEIGHT.search(text)
    if weight is None:
        return Principle(text.strip(" *"))
    value = float(weight["percent"] or weight["points"])
    rest = text[: weight.start()].rstrip(" ([（") + text[weight.end() :].lstrip(" )]）")
    return Principle(" ".join(rest.replace("**", "").split()).strip(" :：*-"), value)
