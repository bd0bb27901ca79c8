"""What a contract is: the form in which a judge answers, and how that becomes scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from grm_plugin.engine import Limits
from grm_plugin.types import Scale, Token

Shows = Literal["list", "each", "pair"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contract reads: a finished text of the judge, without its thinking.

    Args:
        text: the answer.
        n: how many responses the judge was shown.
        scale: the closed range of a score.
        tokens: the tokens of the answer, when the contract asked for their probabilities.
    """

    text: str
    n: int
    scale: Scale
    tokens: tuple[Token, ...] = ()


class Reading(NamedTuple):
    """The scores of the shown responses, in that order (points), and the tokens they came from.

    The tokens are those from the first of them to the last of the answer: a replay reads the same
    text again, by the end that they spell.
    """

    scores: tuple[float, ...]
    tokens: tuple[Token, ...] = ()


class Contract(Protocol):
    """How a judge answers. Strict: a text that is not exactly in its form is an error.

    Args:
        shows: how many responses one call shows: all (``list``), one (``each``) or two (``pair``).
        stop: texts that end an answer, besides those of the template and of the settings.
        logprobs: how many likely tokens it needs at every place of the answer; 0 for none.
        forms: regular expressions of its own answer marks, which are defused in everything that
            others wrote, so that a quotation is no answer.
    """

    shows: Shows
    stop: tuple[str, ...]
    logprobs: int
    forms: tuple[str, ...]

    def read(self, answer: Answer) -> Reading:
        """The scores in ``answer``, each on the scale.

        Raises:
            ParseError: ``unreadable``, ``wrong_count`` or ``out_of_range``.
        """


class ContractFactory(Protocol):
    """What ``grm_register_contracts`` offers."""

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Contract:
        """A contract; wrong options raise ConfigError."""
