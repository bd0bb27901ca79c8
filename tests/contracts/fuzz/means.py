"""The oracle for expected scores: every level's probability by its definition, then the mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from grm_plugin.types import Token
from tests.contracts.fuzz.placed import Rules, Scores
from tests.contracts.fuzz.scanning import Refused


def chances(token: Token) -> list[tuple[str, float]]:
    """What could have stood in a place; what is no probability is refused."""
    told = dict(token.top)
    told.setdefault(token.text, token.logprob)
    if any(math.isnan(log) or log >= 1e-3 for log in told.values()):
        raise Refused("unreadable")
    return [(text, math.exp(min(log, 0))) for text, log in told.items()]


def begins(tokens: Sequence[Token], text: str) -> dict[int, int]:
    """Which token has its first character that is no blank at which place of ``text``."""
    found: dict[int, int] = {}
    end = len(text)
    for number in range(len(tokens) - 1, -1, -1):
        spelt = tokens[number].text
        start = end - len(spelt)
        if start < 0 or text[start:end] != spelt:
            break
        lead = len(spelt) - len(spelt.lstrip())
        if lead < len(spelt):
            found[start + lead] = number
        end = start
    return found


def mean(
    tokens: Sequence[Token], first: int, levels: dict[str, float], least: float
) -> tuple[float, float]:
    """The mean of ``levels`` where token ``first`` stands, and their share."""
    here = chances(tokens[first])
    written = tokens[first].text.strip()
    known_here = {text.strip() for text, _ in here}
    of_written = sum(p for text, p in here if text.strip() == written)
    starts = [level for level in levels if level.startswith(written) and level != written]
    if not starts:
        follows = []
    elif first + 1 < len(tokens):
        follows = chances(tokens[first + 1])
    else:
        of_written, follows = 0.0, []
    masses: dict[str, float] = {}
    for level in levels:
        mass = 0.0
        if level == written:
            gone = sum(p for text, p in follows for one in starts if written + text == one)
            mass = of_written * max(0.0, 1 - gone)
        else:
            alone = sum(p for text, p in here if text.strip() == level)
            doubtful = any(
                other.startswith(level) and other != level and other not in known_here
                for other in levels
            )
            mass = 0.0 if doubtful else alone
            if level in starts:
                mass += of_written * sum(p for text, p in follows if written + text == level)
        masses[level] = mass
    total = sum(masses.values())
    if not total >= least:
        raise Refused("unreadable")
    return sum(levels[level] * mass for level, mass in masses.items()) / total, total


def expected(
    find: Callable[[str], list[tuple[int, str]]],
    rules: Rules,
    strict: Callable[[str, int], Scores],
    least: float,
) -> Callable[[str, int, Sequence[Token]], Scores]:
    """The oracle for one text; ``find`` gives the spans of its items."""

    def read(text: str, n: int, tokens: Sequence[Token]) -> Scores:
        strict(text, n)
        levels = {
            str(number): float(number) for number in range(int(rules.low), int(rules.high) + 1)
        }
        places, numbers = begins(tokens, text), []
        for at, item in find(text):
            first = places.get(at, -1)
            if item not in levels or first < 0:
                raise Refused("unreadable")
            spelt = tokens[first].text.lstrip()
            two = spelt + "".join(one.text for one in tokens[first + 1 : first + 2])
            if item not in (spelt, two):
                raise Refused("unreadable")
            numbers.append(mean(tokens, first, levels, least)[0])
        return tuple(numbers)

    return read
