"""Asks the engine for samples and reads them: one request a showing, all at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from grm_plugin.engine import Draw, Engine, SampleRequest, Sampling
from grm_plugin.errors import EngineError, InputError, PluginError
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.checking import checked_draws
from grm_plugin.pipeline.planning import Showing
from grm_plugin.pipeline.pricing import Pricing
from grm_plugin.pipeline.reading import Reader
from grm_plugin.pipeline.sampled import Broken, Sampled, digest_of, lost_sample, together
from grm_plugin.prices import Amount
from grm_plugin.prompts import Prepared
from grm_plugin.running import guarded
from grm_plugin.running.budget import Allowance
from grm_plugin.types import Reason, Sample

Draws = Sequence[Draw | EngineError]


@dataclass(frozen=True, slots=True)
class _Bill:
    """What was set aside for each round of one draw, and where that is settled."""

    allowance: Allowance
    most: Sequence[Amount]


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
        tasks = {asyncio.create_task(self._show(case, prepared, one)): one for one in showings}
        try:
            left = max(0.0, deadline - time.monotonic())
            done, _ = await asyncio.wait(tasks, timeout=left, return_when="FIRST_EXCEPTION")
            for task in done:
                task.result()  # a refusal or a bug ends the group; failed samples are values
            found = [
                task.result() if task in done else self._late(one, left)
                for task, one in tasks.items()
            ]
            return [sample for samples in found for sample in samples]
        finally:
            for task in tasks:
                task.cancel()

    async def _show(self, case: Case, prepared: Prepared, showing: Showing) -> list[Sample]:
        messages = prepared.render(showing.order)
        request = SampleRequest(
            messages,
            showing.n,
            showing.seed,
            self.samplings[0],
            case.asked.fingerprint,
            showing.first,
            showing.run,
            self._logprobs(0),
        )
        bill = self._bill(case, prepared, showing)
        first = await self._asked(request, bill, 0)
        draws: Sequence[Draw | EngineError | Broken] = first
        if len(self.samplings) > 1:
            each = [
                self._goes_on(prepared, showing, request, i, draw, bill)
                for i, draw in enumerate(first)
            ]
            draws = await asyncio.gather(*each)
        digest = digest_of(messages)
        n = len(case.asked.responses)
        sampled = Sampled(self.engine, self.reader, self.pricing)
        return [sampled.of(showing, i, draw, digest, n) for i, draw in enumerate(draws)]

    def _late(self, showing: Showing, waited_s: float) -> list[Sample]:
        detail = f"no answer within the group's deadline ({waited_s:.1f} s)"
        if trouble := getattr(self.engine, "trouble", ""):
            detail = f"{detail}; {trouble}"
        return [lost_sample(showing, i, Reason.TIMEOUT, detail) for i in range(showing.n)]

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
            replace(draw, money=self.pricing.of(draw)) if isinstance(draw, Draw) else draw
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

    async def _goes_on(
        self,
        prepared: Prepared,
        showing: Showing,
        request: SampleRequest,
        i: int,
        draw: Draw | EngineError,
        bill: _Bill,
    ) -> Draw | EngineError | Broken:
        """The last word of a judge that speaks in several rounds, with what it said before."""
        for number in range(1, len(self.samplings)):
            if (
                isinstance(draw, EngineError)
                or draw.finish_reason != "stop"
                or len(draw.said) >= number
            ):
                return draw
            said = (*draw.said, draw.text)
            again = replace(
                request,
                messages=prepared.render(
                    showing.order, said=[self.reader.thinking.answer(text) for text in said]
                ),
                n=1,
                seed=showing.seed + i,
                first=showing.first + i,
                sampling=self.samplings[number],
                logprobs=self._logprobs(number),
            )
            (word,) = await self._asked(again, bill, number)
            if isinstance(word, EngineError):
                return Broken(word, replace(draw, text="", said=said))
            draw = together(draw, word, said)
        return draw
