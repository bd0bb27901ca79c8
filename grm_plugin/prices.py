"""What a judge's tokens cost in money and in FLOPs, and how much of each may be spent."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field, model_validator

from grm_plugin.options import Options

_MILLION = 1e6
_DEAREST = 1e9  # a product with any count of tokens is a number then


class Amount(NamedTuple):
    """Tokens in and out, and what they cost in US dollars and in FLOPs."""

    tokens: float = 0
    money: float = 0.0
    flops: float = 0.0

    def plus(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(*(one + more for one, more in zip(self, other, strict=True)))

    def less(self, other: Amount) -> Amount:
        """What is left without the other; never below nothing."""
        return Amount(*(max(0.0, one - less) for one, less in zip(self, other, strict=True)))

    def times(self, n: float) -> Amount:
        """So many of it."""
        return Amount(*(n * one for one in self))


class PromptPrices(Options):
    """US dollars for a million tokens of a model that only reads, such as a meta RM.

    Args:
        prompt: for tokens that it reads.
        cached: for those of them that the server had cached, where it tells how many; None: as
            the others.
    """

    prompt: float = Field(ge=0, le=_DEAREST, allow_inf_nan=False)
    cached: float | None = Field(None, ge=0, le=_DEAREST, allow_inf_nan=False)

    def of_prompt(self, tokens: float, cached: float = 0) -> float:
        """US dollars for so many tokens, ``cached`` among them."""
        known = min(cached, tokens) if self.cached is not None else 0
        return ((tokens - known) * self.prompt + known * (self.cached or 0.0)) / _MILLION


class Prices(PromptPrices):
    """US dollars for a million tokens of a judge.

    Args:
        output: for tokens that it writes, its thinking included.
    """

    output: float = Field(ge=0, le=_DEAREST, allow_inf_nan=False)

    def of(self, prompt: float, output: float, cached: float = 0) -> float:
        """US dollars for so many tokens; ``cached`` are among those of the prompt.

        >>> Prices(prompt=2, output=8, cached=0.5).of(1000, 100, cached=800)
        0.0016
        """
        return self.of_prompt(prompt, cached) + output * self.output / _MILLION


class BudgetLimits(Options):
    """What a run may spend on its judge at most.

    Args:
        money: US dollars; the prices must be known.
        tokens: tokens that the judge reads and writes, as the costs of verdicts count them.
        flops: FLOPs of the judge, and of other models whose size is known; ``flops_per_token`` must
            be known.
    """

    money: float | None = Field(None, gt=0, allow_inf_nan=False)
    tokens: int | None = Field(None, ge=1)
    flops: float | None = Field(None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _limits_something(self) -> BudgetLimits:
        if not self.told:
            raise ValueError("expected money, tokens or flops, got none")
        return self

    @property
    def told(self) -> dict[str, float]:
        """The limits that there are, by name."""
        return {name: limit for name, limit in self if limit is not None}

    def share(self, n: int) -> BudgetLimits:
        """For each of ``n`` processes of one run that know nothing of each other.

        >>> BudgetLimits(money=6, tokens=1000).share(4)
        BudgetLimits(money=1.5, tokens=250, flops=None)
        """
        shares: dict[str, float] = {name: limit / n for name, limit in self.told.items()}
        if self.tokens:
            shares["tokens"] = max(1, self.tokens // n)
        return BudgetLimits.model_validate(shares)


def dollars(money: float) -> str:
    """An amount as people read it, with two digits that say something.

    >>> dollars(12.5), dollars(0.0312), dollars(0.0000074), dollars(0)
    ('$12.50', '$0.031', '$0.0000074', '$0.00')
    """
    if money >= 0.1 or money <= 0:
        return f"${money:,.2f}"
    digits = 2
    while money * 10**digits < 10 and digits < 12:
        digits += 1
    return f"${money:.{digits}f}"


def told(name: str, amount: float) -> str:
    """An amount as people read it, by the name of its limit.

    >>> told("money", 5), told("tokens", 1234567), told("flops", 2.5e15)
    ('$5.00', '1,234,567 tokens', '2.5e+15 FLOPs')
    """
    if name == "money":
        return dollars(amount)
    return f"{amount:,.0f} tokens" if name == "tokens" else f"{amount:.3g} FLOPs"
