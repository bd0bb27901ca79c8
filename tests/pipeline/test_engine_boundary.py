"""Whatever an engine does, it costs the draws it was asked for, and no counting after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.errors import EngineError
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.records import read_verdicts
from grm_plugin.types import Message, Reason

Answer = Callable[[SampleRequest], Sequence[Draw | EngineError]]


class Engine:
    """Answers requests with a function, whatever that does."""

    model, context_tokens = "made up", None

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def start(self) -> None: ...

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        return self._answer(request)

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return None

    async def close(self) -> None: ...


class Offers:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @hookimpl
    def grm_register_engines(self, register: Callable[..., None]) -> None:
        def make(options: Mapping[str, Any], limits: Limits) -> Engine:
            return Engine(self._answer)

        register("made-up", make)


def judge(answer: Answer, **settings: Any) -> GRM:
    return GRM(plugins=[Offers(answer)], engine="made-up", find_culprits=0, min_valid=1, **settings)


@pytest.mark.parametrize("error", [KeyError("choices"), ZeroDivisionError(), SystemExit(3)])
def test_an_exception_of_an_engine_costs_the_draws_of_its_request_alone(
    error: BaseException,
) -> None:
    def answer(request: SampleRequest) -> Sequence[Draw]:
        if request.first == 0:
            raise error
        return [Draw("\\boxed{9, 3}", "stop")] * request.n

    with judge(answer, k=4) as grm:
        verdict = grm.score(Group.of("q", ["a", "b"]))
    assert verdict.scored
    assert verdict.failures_by_reason == {Reason.TRANSPORT: 1}
    assert repr(error) in verdict.failures[0].detail


@pytest.mark.parametrize("what", [None, 7, "text", [7], [Draw(None, "stop")]])  # type: ignore[arg-type]
def test_what_is_no_draw_costs_the_draws_of_its_request_alone(what: Any) -> None:
    def answer(request: SampleRequest) -> Any:
        good = [Draw("\\boxed{9, 3}", "stop")] * request.n
        return what if request.first == 0 else good

    with judge(answer, k=4) as grm:
        verdict = grm.score(Group.of("q", ["a", "b"]))
    assert verdict.scored
    assert "expected 1 draws" in verdict.failures[0].detail


@pytest.mark.parametrize("count", ["many", -3, 10**400, None, 1.5, True, [], float("inf")])
def test_no_count_of_an_engine_stops_the_counting(tmp_path: Path, count: Any) -> None:
    def answer(request: SampleRequest) -> Sequence[Draw]:
        text, end = "\\boxed{9, 3}", "stop"
        return [Draw(text, end, count, count, count) for _ in range(request.n)]

    with judge(answer, k=2, record=tmp_path / "r.jsonl") as grm:
        verdict = grm.score(Group.of("q", ["a", "b"]))
    tally = Tally()
    tally.add(verdict)
    assert verdict.scored and verdict.cost.prompt_tokens >= 0
    assert [one.rewards for one in read_verdicts(tmp_path / "r.jsonl")] == [verdict.rewards]
    assert numbers(tally)["tokens_in"] >= 0
