"""The principles a judge listed, for reports: nothing here influences a reward."""

from __future__ import annotations

import re

from grm_plugin.types import Principle

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

    Args:
        text: a judge's answer, without its thinking.
    """
    lines = iter(text[:20_000].splitlines())
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
