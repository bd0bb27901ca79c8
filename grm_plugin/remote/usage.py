"""What a server tells about tokens and money: telemetry, which never costs a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from grm_plugin.engine import Draw
from grm_plugin.errors import EngineError

_MOST_TOKENS = 10**9
_MOST_MONEY = 1e6  # US dollars of one request; more makes no sense


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one request, with all its draws.

    Args:
        prompt: tokens of the prompt; 0 when the server does not tell.
        output: tokens of all draws together.
        cached: tokens of the prompt that the server had cached; None when it does not tell.
        money: US dollars; None when the server does not tell.
    """

    prompt: int = 0
    output: int = 0
    cached: int | None = None
    money: float | None = None

    @classmethod
    def told(cls, usage: object) -> Usage:
        """The ``usage`` of a chat completion; what makes no sense in it is not told.

        OpenRouter and its kin tell the price as ``cost``.

        >>> Usage.told({"prompt_tokens": "many", "completion_tokens": 1e999, "cost": -1})
        Usage(prompt=0, output=0, cached=None, money=None)
        """
        found: Mapping[str, Any] = usage if isinstance(usage, Mapping) else {}
        details = found.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
        return cls(
            _count(found.get("prompt_tokens")),
            _count(found.get("completion_tokens")),
            None if cached is None else _count(cached),
            _amount(found.get("cost"), most=_MOST_MONEY),
        )

    def share(
        self, draws: list[Draw | EngineError], seconds: float = 0.0
    ) -> list[Draw | EngineError]:
        """``draws``, each with its share: of the output, and of the money."""
        n = len(draws)
        return [
            self._with(draw, self.output // n + (i < self.output % n), n, seconds)
            for i, draw in enumerate(draws)
        ]

    def _with(
        self, draw: Draw | EngineError, output: int, n: int, seconds: float
    ) -> Draw | EngineError:
        money = None if self.money is None else self.money / n
        cached = None if self.cached is None else min(self.cached, self.prompt)
        if isinstance(draw, EngineError):
            draw.prompt_tokens, draw.output_tokens, draw.money = self.prompt, output, money
            draw.cached_tokens, draw.same_prompt = cached, n
            return draw
        return replace(
            draw,
            prompt_tokens=self.prompt,
            output_tokens=output,
            seconds=seconds,
            money=money,
            cached_tokens=cached,
            same_prompt=n,
        )


def _count(told: object) -> int:
    known = _amount(told)
    return 0 if known is None else min(int(known), _MOST_TOKENS)


def _amount(told: object, most: float = math.inf) -> float | None:
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    try:
        number = float(told)
    except OverflowError:
        return None
    return number if math.isfinite(number) and 0 <= number <= most else None
