"""Asks the engine for samples and reads them: all at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grm_plugin.engine import Draw, Engine, SampleRequest, Sampling
from grm_plugin.errors import EngineError, InputError, PluginError, RequestTimeout
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.checking import checked_draws
from grm_plugin.pipeline.planning import Showing
from grm_plugin.pipeline.pricing import Pricing
from grm_plugin.pipeline.reading import Reader
from grm_plugin.pipeline.sampled import Broken, Sampled, digest_of, together
from grm_plugin.prices import Amount
from grm_plugin.prompts import Prepared
from grm_plugin.running import guarded
from grm_plugin.running.budget import Allowance
from grm_plugin.types import Sample

Draws = Sequence[Draw | EngineError]


@dataclass(frozen=True, slots=True)
class _Bill:
    """What was set aside for each round of one draw, and where that is settled."""

    allowance: Allowance
    most: Sequence[Amount]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the judge is shown, and what has come of its draws so far.

    Args:
        showing: which responses, in which order, for how many draws.
        prepared: renders them.
        request: for all draws of the first round.
        bill: what they may cost.
        over: draws that have had their last word, by number; whoever is late keeps these.
        under_way: what draws in a later round said before.
    """

    showing: Showing
    prepared: Prepared
    request: SampleRequest
    bill: _Bill
    over: dict[int, Draw | EngineError | Broken] = field(default_factory=dict)
    under_way: dict[int, Draw] = field(default_factory=dict)

    def draw(self, i: int, late: EngineError) -> Draw | EngineError | Broken:
        """Draw ``i``, or that it is late."""
        if i in self.over:
            return self.over[i]
        return Broken(late, self.under_way[i]) if i in self.under_way else late


@dataclass(frozen=True)
class Drawer:
    """Draws samples of the judge.

    Args:
        engine: where it runs.
        reader: how its texts are read.
        samplings: how it is sampled in each round; most judges speak once.
        pricing: what its draws cost.
    """

    engine: Engine
    reader: Reader
    samplings: Sequence[Sampling]
    pricing: Pricing

    def most(self, prepared: Prepared, showings: Iterable[Showing]) -> Amount:
        """The most that all samples of ``showings`` may cost."""
        total = Amount()
        for one in showings:
            for amount in self.pricing.most(prepared, one.order, self.samplings):
                total = total.plus(amount.times(one.n))
        return total

    async def turn(self, deadline: float) -> None:
        """Return when the engine can take another group, where it tells.

        Raises:
            PluginError: the deadline passed.
        """
        if turn := getattr(self.engine, "turn", None):
            name = f"engine {self.engine.model!r}: the turn of a group"
            await guarded.call(name, turn, deadline=deadline)

    async def draw(
        self, case: Case, prepared: Prepared, showings: Sequence[Showing], deadline: float
    ) -> list[Sample]:
        """All samples of ``showings``; what is open at ``deadline`` fails as ``timeout``.

        Raises:
            InputError: the engine refuses the prompt.
        """
        shown = [self._shown(case, prepared, one) for one in showings]
        tasks = [asyncio.create_task(part) for one in shown for part in self._parts(one)]
        try:
            left = max(0.0, deadline - time.monotonic())
            done, _ = await asyncio.wait(tasks, timeout=left, return_when="FIRST_EXCEPTION")
            for task in done:
                task.result()  # a refusal or a bug ends the group; failed samples are values
            n = len(case.asked.responses)
            return [sample for one in shown for sample in self._samples(one, left, n)]
        finally:
            for task in tasks:
                task.cancel()

    def _shown(self, case: Case, prepared: Prepared, showing: Showing) -> _Shown:
        request = SampleRequest(
            prepared.render(showing.order),
            showing.n,
            showing.seed,
            self.samplings[0],
            case.asked.fingerprint,
            showing.first,
            showing.run,
            self._logprobs(0),
        )
        return _Shown(showing, prepared, request, self._bill(case, prepared, showing))

    def _parts(self, shown: _Shown) -> Iterator[Coroutine[Any, Any, None]]:
        """What draws a showing, in parts of as many draws as one request to the judge brings."""
        n = shown.showing.n
        most = int(max(1, min(n, getattr(self.engine, "most_draws", n))))
        for start in range(0, n, most):
            yield self._part(shown, range(start, min(start + most, n)))

    async def _part(self, shown: _Shown, draws: range) -> None:
        request = _from(shown.request, draws.start, len(draws))
        first = await self._asked(request, shown.bill, 0)
        each = zip(draws, first, strict=True)
        await asyncio.gather(*(self._goes_on(shown, i, draw) for i, draw in each))

    def _samples(self, shown: _Shown, waited_s: float, n: int) -> list[Sample]:
        """The samples of a showing, for ``n`` responses; what is not there is late."""
        sampled = Sampled(self.engine, self.reader, self.pricing)
        late, digest = self._late(waited_s), digest_of(shown.request.messages)
        return [
            sampled.of(shown.showing, i, shown.draw(i, late), digest, n)
            for i in range(shown.showing.n)
        ]

    def _late(self, waited_s: float) -> RequestTimeout:
        detail = f"no answer within the group's deadline ({waited_s:.1f} s)"
        if trouble := getattr(self.engine, "trouble", ""):
            detail = f"{detail}; {trouble}"
        return RequestTimeout(detail)

    def _logprobs(self, number: int) -> int:
        """Probabilities are asked for only in the round that is read."""
        return self.reader.contract.logprobs if number == len(self.samplings) - 1 else 0

    def _bill(self, case: Case, prepared: Prepared, showing: Showing) -> _Bill:
        """What was set aside for each round of a draw; nothing where there is no budget."""
        limited = case.allowance.limited
        most = self.pricing.most(prepared, showing.order, self.samplings) if limited else []
        return _Bill(case.allowance, most or [Amount()] * len(self.samplings))

    async def _asked(self, request: SampleRequest, bill: _Bill, number: int) -> Draws:
        """The draws of round ``number``, with what they cost, and settled.

        What is cancelled is not settled: it was asked for, and may be billed.
        """
        most = bill.most[number]
        bill.allowance.ask(most, request.n)
        try:
            draws = await self._drawn(request)
        except InputError as refusal:
            if not refusal.may_cost:
                bill.allowance.refused(most)
            raise
        for draw in draws:
            bill.allowance.settle(most, self.pricing.spent(draw, most))
        return [
            replace(draw, money=self.pricing.of(draw), flops=self.pricing.flops_of(draw))
            if isinstance(draw, Draw)
            else draw
            for draw in draws
        ]

    async def _drawn(self, request: SampleRequest) -> Draws:
        try:
            owner = f"engine {self.engine.model!r}"
            draws = await guarded.call(owner, self.engine.sample, request)
            return checked_draws(owner, request.n, draws)
        except EngineError as error:
            return [error] * request.n
        except PluginError as error:  # whatever an engine does, it costs the draws it was asked for
            lost = EngineError(str(error))
            lost.may_cost = True
            return [lost] * request.n

    async def _goes_on(self, shown: _Shown, i: int, draw: Draw | EngineError) -> None:
        """Hear draw ``i`` to its last word; most judges have said it in their first round."""
        for number in range(1, len(self.samplings)):
            if (
                isinstance(draw, EngineError)
                or draw.finish_reason != "stop"
                or len(draw.said) >= number
            ):
                break
            said = (*draw.said, draw.text)
            shown.under_way[i] = replace(draw, text="", said=said)
            (word,) = await self._asked(self._next(shown, i, said, number), shown.bill, number)
            if isinstance(word, EngineError):
                shown.over[i] = Broken(word, shown.under_way[i])
                return
            draw = together(draw, word, said)
        shown.over[i] = draw

    def _next(self, shown: _Shown, i: int, said: tuple[str, ...], number: int) -> SampleRequest:
        """The request for round ``number`` of draw ``i``, with what the judge said before."""
        answers = [self.reader.thinking.answer(text) for text in said]
        return replace(
            _from(shown.request, i, 1),
            messages=shown.prepared.render(shown.showing.order, said=answers),
            sampling=self.samplings[number],
            logprobs=self._logprobs(number),
        )


def _from(request: SampleRequest, start: int, n: int) -> SampleRequest:
    """The part of a request that brings ``n`` of its draws, from ``start`` on."""
    return replace(request, n=n, seed=request.seed + start, first=request.first + start)
