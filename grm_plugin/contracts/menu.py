"""What a judge may write in the place of its answer, and the scores that this stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, FiniteFloat

from grm_plugin.contracts.contract import Answer, Shows
from grm_plugin.errors import ConfigError, ParseError, quoted
from grm_plugin.options import Options
from grm_plugin.types import Reason, Scale

_NUMBER = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,6})?")
_COMMA, _COMMA_OR_BLANK = re.compile(","), re.compile(r"\s*,\s*|\s+")


def _texts(values: Any) -> Any:
    """Keys as texts: YAML reads 1 as a number, and an unquoted Yes as a truth."""
    if not isinstance(values, Mapping):
        return values
    for key in values:
        if isinstance(key, bool):
            raise ValueError(f"expected texts as keys, got {key!r}; put Yes and No in quotes")
    return {str(key).strip(): value for key, value in values.items()}


Values = Annotated[dict[str, FiniteFloat], BeforeValidator(_texts)]


class MenuOptions(Options):
    """What every contract with a place for its answer can be told.

    ``values`` are the only texts that may stand there, with what each means. Where one response is
    shown, or several are scored one by one: its points. Where a pair is shown: by how much the
    first response is better (below 0: the second), in steps of any size. Without ``values`` there
    stand plain numbers on the scale, one for each response.
    """

    shows: Shows = "list"
    values: Values = Field(default_factory=dict)


class Menu:
    """Reads the content of one place.

    Args:
        options: how many responses are shown, and the values.
        blanks: whether blanks part the scores, besides commas.

    Raises:
        ConfigError: the values of a pair are all 0, so that no answer could tell one from another.
    """

    def __init__(self, options: MenuOptions, *, blanks: bool = False) -> None:
        self.values = options.values
        self._is_pair = options.shows == "pair" and bool(self.values)
        self._span = max(map(abs, self.values.values()), default=0.0)
        self._parts = _COMMA_OR_BLANK if blanks and not self.values else _COMMA
        if self._is_pair and not self._span:
            raise ConfigError(
                "contract: values: expected a number other than 0 for some answer of a pair, "
                f"got {self.values!r}"
            )

    def items(self, content: str) -> tuple[str, ...]:
        """The parts of ``content``, one for each score; a verdict on a pair is one."""
        if self._is_pair or content.strip() in self.values:
            return (content.strip(),)
        return tuple(item.strip() for item in self._parts.split(content.strip()))

    def key(self, content: str) -> tuple[str | float, ...]:
        """What two contents have in common when they say the same: 8 and 8.0 do."""
        return tuple(
            float(item) if not self.values and _NUMBER.fullmatch(item) else item
            for item in self.items(content)
        )

    def knows(self, content: str) -> bool:
        """Whether ``content`` has only texts of the menu in it."""
        return all(map(self._is_known, self.items(content)))

    def scores(self, content: str, answer: Answer) -> tuple[float, ...]:
        """The scores (points) that ``content`` stands for.

        Raises:
            ParseError: a part is not on the menu, is off the scale, or the count is another.
        """
        items = self.items(content)
        if not all(map(self._is_known, items)):
            raise ParseError(
                Reason.UNREADABLE, f"expected {self.told(answer.n)}, got {quoted(content)}"
            )
        numbers = [self.values[item] if self.values else float(item) for item in items]
        if self._is_pair:
            return self.pair(numbers[0], answer)
        if len(items) != answer.n:
            raise ParseError(
                Reason.WRONG_COUNT,
                f"expected {answer.n} scores, got {len(items)} in {quoted(content)}",
            )
        return tuple(in_range(number, answer.scale) for number in numbers)

    def pair(self, better: float, answer: Answer) -> tuple[float, ...]:
        """Two scores whose margin says by how much the first response is better.

        The strongest answer of the menu gives the ends of the scale, 0 its middle twice, and what
        lies between is in proportion.

        Raises:
            ParseError: other than two responses were shown.
        """
        if answer.n != 2:
            raise ParseError(
                Reason.WRONG_COUNT, f"expected a pair of responses, got {answer.n}; set a plan"
            )
        low, high = answer.scale
        middle, step = (low + high) / 2, (high - low) / 2 * (better / self._span)
        return tuple(min(high, max(low, score)) for score in (middle + step, middle - step))

    @property
    def is_verdict(self) -> bool:
        """Whether one answer says which response of a pair is better."""
        return self._is_pair

    def told(self, n: int) -> str:
        """What is expected, for messages."""
        if not self.values:
            return f"{n} numbers"
        return f"one of {', '.join(map(repr, self.values))}"

    def _is_known(self, item: str) -> bool:
        return item in self.values if self.values else bool(_NUMBER.fullmatch(item))


def in_range(score: float, scale: Scale) -> float:
    """``score`` itself.

    Raises:
        ParseError: it is off the scale.
    """
    if not scale.low <= score <= scale.high:
        raise ParseError(
            Reason.OUT_OF_RANGE, f"expected scores {scale.low:g}..{scale.high:g}, got {score:g}"
        )
    return score
