"""What requests to the judge may cost at most, and what their draws did cost.

A model takes two FLOPs for each of its active parameters and each token that it reads or writes;
those of attention between tokens are left out, and so are tokens of a prompt that were cached.
Draws of one request share its prompt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grm_plugin.engine import Draw, Engine, Sampling, replays
from grm_plugin.errors import ConfigError, EngineError
from grm_plugin.prices import Amount, BudgetLimits, Prices, PromptPrices
from grm_plugin.prompts import Prepared
from grm_plugin.types import Judgment, Sample
from grm_plugin.types.verdicts import all_together

FRAME_TOKENS = 64
"""More than chat templates add in control tokens around a message, and in front of all."""
_TOKEN_BYTES = 8
_MOST_MONEY = 1e6  # US dollars of one draw; more makes no sense


@dataclass(frozen=True)
class Pricing:
    """Prices of the judge, in money and in FLOPs.

    Args:
        engine: tells what a draw cost, or looks prices up when it starts, where it can.
        given: the prices that the user names; they hold before what anybody tells or looks up.
        selector: has the ``prices`` and the ``flops_per_token`` of a meta RM, where it knows them.
        per_token: FLOPs of the judge for a token, as the user names them.
    """

    engine: Engine
    given: Prices | None = None
    selector: object = None
    per_token: float | None = None

    @property
    def prices(self) -> Prices | None:
        """What is known now; an engine that looks prices up knows them once it has started."""
        found: Prices | None = getattr(self.engine, "prices", None)
        return self.given or found

    @property
    def flops_per_token(self) -> float | None:
        """FLOPs of the judge for a token; an engine that counts them knows once it has started."""
        found: float | None = getattr(self.engine, "flops_per_token", None)
        return self.per_token or found

    @property
    def _rating(self) -> PromptPrices | None:
        found: PromptPrices | None = getattr(self.selector, "prices", None)
        return found

    def check(self, budget: BudgetLimits, owner: str, *, started: bool, section: str = "") -> None:
        """Refuse a budget that could not be kept.

        Args:
            budget: what may be spent.
            owner: how messages call the engine.
            started: whether it had its chance to look prices up.
            section: where the settings of this judge stand, such as ``"watch.control.judge."``.

        Raises:
            ConfigError: prices are not known, or the judge is not told when to stop; says what to
                set.
        """
        if "max_tokens" in (getattr(self.engine, "altered", {}).get("not_sent") or ()):
            raise ConfigError(
                f"budget: {owner} does not send max_tokens, so nothing bounds what a judgment "
                f"costs; name the field that this server has for it in {section}engine.fields"
            )
        may_know = not started and hasattr(self.engine, "prices")
        if budget.money and not (self.prices or may_know):
            raise ConfigError(
                f"budget.money: the prices of {owner} are not known; set {section}prices: "
                "{prompt: ..., output: ...} in US dollars for a million tokens, or budget.tokens "
                "instead"
            )
        may_know = not started and hasattr(self.engine, "flops_per_token")
        if budget.flops and not may_know:
            check_size(self.flops_per_token, owner, section)
        if budget.flops and started:
            per_token = getattr(self.selector, "flops_per_token", 0.0)
            check_size(per_token, "the selector's meta RM", f"{section}select.")

    def flops(self, samples: Iterable[Sample], rated: int | None = 0) -> float | None:
        """What samples took, and the tokens of their ratings; None where one is not known."""
        return all_together([*(one.flops for one in samples), self._rating_flops(rated)])

    def flops_of(self, draw: Draw | EngineError) -> float | None:
        """What a draw took; None when the size of the judge is not known, nor on record."""
        if isinstance(draw, Draw):
            if replays(self.engine) and draw.flops is not None:
                return draw.flops
            if not draw.prompt_tokens and self.flops_per_token:  # nobody told
                return None
        shared = max(1, draw.same_prompt)
        read = max(0, draw.prompt_tokens - (draw.cached_tokens or 0)) / shared
        return self._flops(read + draw.output_tokens)

    def _flops(self, tokens: float) -> float | None:
        return None if self.flops_per_token is None else self.flops_per_token * tokens

    def _rating_flops(self, tokens: float | None) -> float | None:
        """Of tokens that a model of the selector's reads; a selector without one takes none."""
        per_token: float | None = getattr(self.selector, "flops_per_token", 0.0)
        if tokens == 0:
            return 0.0
        return None if tokens is None or per_token is None else per_token * tokens

    def of(self, draw: Draw | EngineError) -> float | None:
        """What a draw cost in US dollars; None when nobody knows."""
        told = _sensible(draw.money)
        holds = self.given is None or replays(self.engine)  # a record tells what it was
        if not (self.prices and draw.prompt_tokens) or (told is not None and holds):
            return told
        shared = max(1, draw.same_prompt)
        return self.prices.of(
            draw.prompt_tokens / shared, draw.output_tokens, (draw.cached_tokens or 0) / shared
        )

    def most(
        self, prepared: Prepared, order: Sequence[int], samplings: Sequence[Sampling]
    ) -> list[Amount]:
        """The most that each round of one draw may cost, and last that of its rating.

        Every byte of a prompt counts as a token, and a token of the judgment as eight bytes.

        Args:
            prepared: the group.
            order: of its responses, as they are shown.
            samplings: of each round; what the judge said before is a part of the next prompt.
        """
        found, said, prompt = [], 0, 0
        for number, sampling in enumerate(samplings):
            messages = prepared.render(order, said=[""] * number)
            prompt = said + sum(len(one.content.encode()) + FRAME_TOKENS for one in messages)
            output = sampling.max_tokens
            money = self.prices.of(prompt, output) if self.prices else 0.0
            tokens = prompt + output
            found.append(Amount(tokens, money, self._flops(tokens) or 0.0))
            said += output
        read = prompt + _TOKEN_BYTES * said
        paid = self._rating.of_prompt(read) if self._rating else 0.0
        return [*found, Amount(money=paid, flops=self._rating_flops(read) or 0.0)]

    def ratings(
        self, before: Sequence[Judgment], after: Sequence[Sample], tokens: int | None = 0
    ) -> Amount:
        """What a meta RM's ratings cost: what it made judgments dearer by, and what it read."""
        paid = {(one.run, one.sample): one.money for one in before}
        dearer = (
            one.money - known
            for one in after
            if one.money is not None and (known := paid.get((one.run, one.sample))) is not None
        )
        return Amount(money=math.fsum(dearer), flops=self._rating_flops(tokens) or 0.0)

    def spent(self, draw: Draw | EngineError, most: Amount) -> Amount:
        """What a draw counts against a budget: what was told, or all that it was allowed to use.

        Where money is told and prices are named, it is the larger of the two. One that failed, and
        of which nothing is told, counts in full if it may have been billed, and else nothing.
        """
        told = _sensible(draw.money)
        if isinstance(draw, EngineError) and not (draw.may_cost or told or _tokens(draw)):
            return Amount()
        amounts = [one for one in (told, self.of(draw)) if one is not None]
        if draw.prompt_tokens:
            money = max(amounts, default=most.money)
            return Amount(_tokens(draw), money, self.flops_of(draw) or 0.0)
        if self.given or not amounts:
            amounts.append(most.money)
        return Amount(math.ceil(most.tokens), max(amounts), most.flops)


def check_size(flops_per_token: float | None, owner: str, section: str) -> None:
    """Refuse a budget in FLOPs where a model's size is not known.

    Args:
        flops_per_token: of the model.
        owner: how messages call it.
        section: where its setting ``flops_per_token`` stands, with a dot; empty: at the top.

    Raises:
        ConfigError: it is not known; says what to set.
    """
    if flops_per_token is None:
        raise ConfigError(
            f"budget.flops: what a token of {owner} takes is not known; set "
            f"{section}flops_per_token to twice its active parameters, or budget.tokens instead"
        )


def _tokens(draw: Draw | EngineError) -> int:
    return draw.prompt_tokens + draw.output_tokens


def _sensible(money: object) -> float | None:
    """``money``, if an engine's author gave an amount at all."""
    if isinstance(money, bool) or not isinstance(money, int | float):
        return None
    return float(money) if 0 <= money <= _MOST_MONEY else None
