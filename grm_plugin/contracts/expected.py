"""The expected score: a mean over what the judge could have answered, by its probabilities.

The answer is read strictly by another contract first. Then, in the place of each of its items, the
probabilities of all levels are taken from the likeliest tokens there, and their mean is the score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from grm_plugin.contracts.boxed import boxed
from grm_plugin.contracts.contract import Answer, Reading, Shows
from grm_plugin.contracts.placed import Placed
from grm_plugin.contracts.section import section
from grm_plugin.contracts.tag import tag
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, ParseError, quoted, unknown
from grm_plugin.options import Options, read_options
from grm_plugin.types import Reason, Scale, Token

_PLACED: dict[str, Callable[[Mapping[str, Any], Limits], Placed]] = {
    "boxed": boxed,
    "section": section,
    "tag": tag,
}
_MOST_LEVELS = 101
_ROUNDING = 1e-3  # a certain token may be told with a little more than 0


class ExpectedOptions(Options):
    """Where the answer stands, and how sure its levels must be.

    ``of`` is the contract that finds it (boxed, section or tag): a name, or name and options. Its
    ``values`` are the levels; without them the whole numbers of the scale. ``top``: how many likely
    tokens are asked for. ``min_mass`` (0..1): the least share of probability that the levels must
    hold together; below it the sample is unreadable.
    """

    of: str | dict[str, Any] = "boxed"
    top: int = Field(20, ge=2, le=1000)
    min_mass: float = Field(0.8, gt=0, le=1)


@dataclass
class Expected:
    """The contract ``expected``."""

    of: Placed
    min_mass: float
    shows: Shows
    stop: tuple[str, ...]
    logprobs: int
    forms: tuple[str, ...]

    def read(self, answer: Answer) -> Reading:
        """The expected scores, and the tokens from the first item to the end of the text."""
        self.of.read(answer)
        levels = self.of.menu.values or _whole_numbers(answer.scale)
        row = _Row.of(answer)
        numbers: list[float] = []
        firsts: list[int] = []
        for start, end in self.of.spans(answer.text):
            first = row.find(start, answer.text[start:end], levels)
            masses = _masses(row.tokens[first : first + 2], levels)
            numbers.append(self._mean(masses, levels, answer.text[start:end]))
            firsts.append(first)
        scores = self.of.menu.points(numbers, answer)
        return Reading(scores, tuple(row.tokens[min(firsts) :]))

    def _mean(self, masses: Mapping[str, float], levels: Mapping[str, float], item: str) -> float:
        mass = math.fsum(masses.values())
        if not self.min_mass <= mass:  # NaN too
            raise ParseError(
                Reason.UNREADABLE,
                f"expected levels that hold {self.min_mass:g} of the probability at {quoted(item)},"
                f" got {mass:.3g}; a level that is the start of another counts only where it shows "
                "which of them was meant",
            )
        mean = math.fsum(levels[level] * (share / mass) for level, share in masses.items())
        return min(max(levels.values()), max(min(levels.values()), mean))


def expected(options: Mapping[str, Any], limits: Limits) -> Expected:
    """The contract ``expected``; its options are :class:`ExpectedOptions`.

    Raises:
        ConfigError: ``of`` is another contract than those that leave their answer in one place.
    """
    read = read_options(ExpectedOptions, "contract 'expected'", options)
    given = {"name": read.of} if isinstance(read.of, str) else dict(read.of)
    name = str(given.pop("name", ""))
    if name not in _PLACED:
        raise ConfigError(f"contract 'expected': of: {unknown('contract', name, _PLACED)}")
    of = _PLACED[name](given, limits)
    return Expected(of, read.min_mass, of.shows, of.stop, read.top, of.forms)


def _whole_numbers(scale: Scale) -> dict[str, float]:
    low, high = math.ceil(scale.low), math.floor(scale.high)
    if high - low >= _MOST_LEVELS:
        raise ParseError(
            Reason.UNREADABLE,
            f"expected at most {_MOST_LEVELS} levels on the scale, got {low}..{high}; "
            "give the contract its values",
        )
    return {str(level): float(level) for level in range(low, high + 1)}


@dataclass(frozen=True)
class _Row:
    """The tokens that spell the end of an answer, and where in it each begins (after blanks)."""

    tokens: Sequence[Token]
    places: Mapping[int, int]

    @classmethod
    def of(cls, answer: Answer) -> _Row:
        end, first, places = len(answer.text), len(answer.tokens), dict[int, int]()
        while first and answer.text.endswith(spelt := answer.tokens[first - 1].text, 0, end):
            end, first = end - len(spelt), first - 1
            if bare := spelt.lstrip():
                places[end + len(spelt) - len(bare)] = first
        return cls(answer.tokens, places)

    def find(self, start: int, item: str, levels: Mapping[str, float]) -> int:
        """The token that begins the level ``item`` at ``start``; one or two spell it."""
        if item not in levels:
            raise ParseError(
                Reason.UNREADABLE,
                f"expected one of the levels {', '.join(levels)}, got {quoted(item)}",
            )
        first = self.places.get(start)
        texts = [] if first is None else [one.text for one in self.tokens[first : first + 2]]
        if first is not None and item in (texts[0].lstrip(), "".join(texts).lstrip()):
            return first
        raise ParseError(
            Reason.UNREADABLE,
            f"expected the answer {quoted(item)} as one token, or as two, got {quoted(texts)}; "
            "choose levels that are a token of their own, such as letters",
        )


def _masses(tokens: Sequence[Token], levels: Mapping[str, float]) -> dict[str, float]:
    """The probability of every level at the place of the first of ``tokens``.

    A token that is a level, and the start of another that is no token here, may stand for both. For
    the token that was written, the likely tokens after it tell how much is whose. For the others
    nothing does, and they count for no level.
    """
    here, written = _probabilities(tokens[0]), tokens[0].text.strip()
    masses = {
        text: p
        for text, p in here.items()
        if text in levels and text != written and not _longer(text, levels, here)
    }
    longer = _longer(written, levels, ())
    if longer and len(tokens) < 2:
        return masses
    follows = _probabilities(tokens[1], bare=False) if longer else {}
    shares = {one: follows.get(one[len(written) :], 0.0) for one in longer}
    for one, share in shares.items():
        masses[one] = masses.get(one, 0.0) + here[written] * share
    if written in levels:
        masses[written] = here[written] * max(0.0, 1.0 - math.fsum(shares.values()))
    return masses


def _longer(text: str, levels: Mapping[str, float], besides: Container[str]) -> list[str]:
    return [one for one in levels if one != text and one.startswith(text) and one not in besides]


def _probabilities(token: Token, *, bare: bool = True) -> dict[str, float]:
    """What could have stood in a place, with its probability; ``bare``: blanks do not count."""
    found: dict[str, float] = {}
    for text, logprob in {token.text: token.logprob, **token.top}.items():
        if not logprob < _ROUNDING:
            raise ParseError(
                Reason.UNREADABLE,
                f"expected the logarithm of a probability for {quoted(text)}, got {logprob:g}",
            )
        key = text.strip() if bare else text
        found[key] = found.get(key, 0.0) + math.exp(min(0.0, logprob))
    return found
