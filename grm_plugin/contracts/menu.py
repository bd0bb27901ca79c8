"""What a judge may write in the place of its answer, and the scores that this stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    """Reads what stands in the places of an answer.

    Args:
        options: how many responses are shown, and the values.
        blanks: whether blanks part the scores, besides commas.

    Raises:
        ConfigError: the values of a pair are all 0, so that no answer could tell one from another.
    """

    def __init__(self, options: MenuOptions, *, blanks: bool = False) -> None:
        self.values = options.values
        self.is_verdict = options.shows == "pair" and bool(self.values)
        self._span = max(map(abs, self.values.values()), default=0.0)
        self._parts = _COMMA_OR_BLANK if blanks and not self.values else _COMMA
        if self.is_verdict and not self._span:
            raise ConfigError(
                "contract: values: expected a number other than 0 for some answer of a pair, "
                f"got {self.values!r}"
            )

    def spans(self, content: str) -> list[tuple[int, int]]:
        """Where the items of ``content`` stand in it; a verdict on a pair is one item."""
        if self.is_verdict or content.strip() in self.values:
            return [_stripped(content, 0, len(content))]
        start, end = _stripped(content, 0, len(content))
        cuts = [cut.span() for cut in self._parts.finditer(content, start, end)]
        starts, ends = [start, *(cut[1] for cut in cuts)], [*(cut[0] for cut in cuts), end]
        return [_stripped(content, *span) for span in zip(starts, ends, strict=True)]

    def items(self, content: str) -> tuple[str, ...]:
        """The items of ``content``, one for each score."""
        if self._parts is _COMMA and not self.is_verdict and content.strip() not in self.values:
            return tuple(item.strip() for item in content.split(","))  # what spans give, faster
        return tuple(content[start:end] for start, end in self.spans(content))

    def key(self, items: Sequence[str]) -> tuple[str | float, ...]:
        """What two answers have in common when they say the same: 8 and 8.0 do."""
        return tuple(
            float(item) if not self.values and _NUMBER.fullmatch(item) else item for item in items
        )

    def knows(self, content: str) -> bool:
        """Whether ``content`` has only texts of the menu in it."""
        return all(map(self._is_known, self.items(content)))

    def scores(self, items: Sequence[str], answer: Answer) -> tuple[float, ...]:
        """The scores (points) that ``items`` stand for.

        Raises:
            ParseError: one is not on the menu or off the scale, or the count is another.
        """
        if not all(map(self._is_known, items)):
            raise ParseError(
                Reason.UNREADABLE,
                f"expected {self._told(answer.n)}, got {quoted(', '.join(items))}",
            )
        numbers = [self.values[item] if self.values else float(item) for item in items]
        return self.points(numbers, answer)

    def points(self, numbers: Sequence[float], answer: Answer) -> tuple[float, ...]:
        """The scores (points) for the numbers behind items: points, or a verdict on a pair.

        Raises:
            ParseError: one is off the scale, or the count is another.
        """
        if self.is_verdict:
            return self._pair(numbers, answer)
        if len(numbers) != answer.n:
            got = ", ".join(f"{number:g}" for number in numbers[: answer.n + 3])
            raise ParseError(
                Reason.WRONG_COUNT,
                f"expected {answer.n} scores, got {len(numbers)} in {quoted(got)}",
            )
        return tuple(_in_range(number, answer.scale) for number in numbers)

    def _pair(self, verdicts: Sequence[float], answer: Answer) -> tuple[float, ...]:
        """Two scores whose margin says by how much the first response is better.

        The strongest answer of the menu gives the ends of the scale, 0 its middle twice, and what
        lies between is in proportion.
        """
        if answer.n != 2 or len(verdicts) != 1:
            raise ParseError(
                Reason.WRONG_COUNT,
                "expected one verdict on 2 responses, "
                f"got {len(verdicts)} on {answer.n}; such a judge sees pairs",
            )
        low, high = answer.scale
        middle, step = (low + high) / 2, (high - low) / 2 * (verdicts[0] / self._span)
        return tuple(min(high, max(low, score)) for score in (middle + step, middle - step))

    def _told(self, n: int) -> str:
        if not self.values:
            return f"{n} numbers"
        return f"one of {', '.join(map(repr, self.values))}"

    def _is_known(self, item: str) -> bool:
        return item in self.values if self.values else bool(_NUMBER.fullmatch(item))


def _stripped(content: str, start: int, end: int) -> tuple[int, int]:
    """``start`` and ``end`` without the blanks at both ends."""
    bare = content[start:end].strip()
    start = content.index(bare, start)
    return start, start + len(bare)


def _in_range(score: float, scale: Scale) -> float:
    if not scale.low <= score <= scale.high:
        raise ParseError(
            Reason.OUT_OF_RANGE, f"expected scores {scale.low:g}..{scale.high:g}, got {score:g}"
        )
    return score
