"""A budget is never passed, and nothing that was scored is lost when it ends a run."""

from __future__ import annotations

import asyncio
import contextlib
import math
import pickle
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.engines.judge_server as acts
from grm_plugin import GRM, Group, hookimpl
from grm_plugin.classifiers import ClassifierFactory, Rating
from grm_plugin.engine import Draw, SampleRequest
from grm_plugin.errors import (
    BudgetError,
    ConfigError,
    DeclinedError,
    EngineError,
    JudgeDeadError,
    RequestTimeout,
    TransportError,
)
from grm_plugin.hookspecs import Register
from grm_plugin.plugins import Plugin
from grm_plugin.prices import Amount, BudgetLimits, Prices
from grm_plugin.records import read_verdicts
from grm_plugin.remote.refusing.faults import Away, Busy, Failed
from grm_plugin.running.budget import Budget
from grm_plugin.testing import ScriptedEngine, scripted
from grm_plugin.types import Cost, Failure, Reason
from tests.engines.judge_server import JudgeServer

ANSWER = r"\boxed{9, 3}"
PRICES = {"prompt": 2.0, "output": 8.0}
costs = st.tuples(st.integers(1, 1000), st.floats(0, 1), st.integers(0, 3))


def groups(n: int) -> list[Group]:
    return [Group.of(f"question {i}", ["4", "5"], id=str(i)) for i in range(n)]


def told(prompt: int, output: int, **more: object) -> Draw:
    return Draw(ANSWER, "stop", prompt, output, **more)  # type: ignore[arg-type]


@given(st.lists(costs, min_size=1, max_size=12), st.integers(1, 4000))
@settings(max_examples=150, deadline=None)
def test_whatever_groups_cost_the_budget_is_not_passed_and_a_prefix_of_them_is_paid(
    asked: list[tuple[int, float, int]], limit: int
) -> None:
    budget = Budget(BudgetLimits(tokens=limit))
    paid: list[int] = []

    async def group(number: int, most: int, share: float, pauses: int) -> None:
        with budget.allowance() as allowance:
            for _ in range(pauses):
                await asyncio.sleep(0)
            await allowance.take(Amount(most), str(number))
            for _ in range(pauses):
                await asyncio.sleep(0)
            allowance.settle(Amount(most), Amount(int(share * most)))
            assert budget.spent.tokens <= limit
            paid.append(number)

    async def run() -> list[BaseException | None]:
        tasks = [asyncio.create_task(group(n, *one)) for n, one in enumerate(asked)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(run())
    assert [one for one in outcomes if one and not isinstance(one, BudgetError)] == []
    assert sorted(paid) == list(range(len(paid)))
    assert budget.spent.tokens == sum(int(asked[n][1] * asked[n][0]) for n in paid)
    if len(paid) < len(asked):  # the next one could not have been afforded
        assert budget.spent.tokens + asked[len(paid)][0] > limit


@given(
    tokens=st.lists(st.tuples(st.integers(1, 400), st.integers(0, 20)), min_size=1, max_size=40),
    limit=st.integers(1, 120_000),
    k=st.integers(1, 4),
    in_money=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_a_stream_ends_before_the_budget_is_passed_and_every_verdict_is_given_and_recorded(
    tokens: list[tuple[int, int]], limit: int, k: int, in_money: bool
) -> None:
    judge = scripted([told(*one) for one in tokens])
    prices = Prices(**PRICES)
    most = {"money": limit * 2 / 1e6} if in_money else {"tokens": limit}
    with TemporaryDirectory() as folder:
        record = Path(folder) / "record.jsonl"
        with GRM(
            plugins=judge, engine="scripted", k=k, max_tokens=20, record=record, budget=most,
            prices=prices,
        ) as grm:  # fmt: skip
            given_, ended = [], False
            try:
                for verdict in grm.score_many(groups(10)):
                    given_.append(verdict)
            except BudgetError:
                ended = True
        total = sum((one.cost for one in given_), Cost())
        spent = (total.money or 0.0) if in_money else total.prompt_tokens + total.output_tokens
        assert spent <= next(iter(most.values())) + 1e-12
        assert [one.group.id for one in given_] == [str(n) for n in range(len(given_))]
        assert ended == (len(given_) < 10)
        assert all(one.scored for one in given_)
        written = list(read_verdicts(record)) if record.exists() else []
        assert [one.group.id for one in written] == [one.group.id for one in given_]


def test_all_that_was_begun_in_a_batch_is_judged_and_recorded_before_the_budget_ends_it(
    tmp_path: Path,
) -> None:
    record = tmp_path / "record.jsonl"
    engine = ScriptedEngine([told(100, 20)], delay_s=0.02)
    settings_ = {"k": 2, "max_tokens": 20, "record": record, "budget": {"tokens": 8000}}
    with (
        GRM(plugins=scripted(engine), engine="scripted", **settings_) as grm,
        pytest.raises(BudgetError, match=r"budget\.tokens: [\d,]+ tokens of 8,000 tokens is spent"),
    ):
        grm.score_batch(groups(40))
    written = list(read_verdicts(record))
    assert len(written) == len(engine.requests) / 2  # no request was made for nothing
    assert all(one.scored for one in written)
    assert 10 < len(written) < 40


def test_a_group_waits_for_those_under_way_and_that_time_is_not_its_own() -> None:
    engine = ScriptedEngine([told(100, 20)], delay_s=0.4)
    most = {"k": 1, "max_tokens": 20, "budget": {"tokens": 5000}, "group_timeout_s": 0.9}
    with GRM(plugins=scripted(engine), engine="scripted", **most) as grm:
        verdicts = grm.score_batch(groups(6))
    assert all(one.scored for one in verdicts)
    assert all(one.cost.seconds < 0.8 for one in verdicts)


def test_once_a_budget_has_ended_a_run_no_group_begins_any_more() -> None:
    with GRM(plugins=scripted([told(9, 9)]), engine="scripted", budget={"tokens": 2000}) as grm:
        for _ in range(2):
            with pytest.raises(BudgetError, match="group 0 may cost up to"):
                grm.score(groups(1)[0])
    assert grm.engine.requests == []


def test_what_was_spent_before_counts() -> None:
    with GRM(
        plugins=scripted([told(9, 9)]),
        engine="scripted",
        k=1,
        max_tokens=9,
        budget={"tokens": 9999},
    ) as grm:
        assert grm.score(groups(1)[0]).scored
        grm.spend(Cost(prompt_tokens=9000, output_tokens=900))
        with pytest.raises(
            BudgetError, match="9,918 tokens of 9,999 tokens is spent and 81 tokens"
        ):
            grm.score(groups(1)[0])


def test_a_judge_that_tells_no_usage_is_taken_to_have_used_all_it_was_allowed() -> None:
    budget = {"tokens": 10_000}
    with (
        GRM(plugins=scripted([ANSWER]), engine="scripted", k=1, budget=budget) as grm,
        pytest.raises(BudgetError),
    ):
        for one in groups(10):
            grm.score(one)
    assert 1 <= len(grm.engine.requests) <= 4


def spent_on(error: EngineError) -> tuple[Cost, Amount]:
    """What a group of one failed draw cost, and what its budget is the less by."""
    script = scripted([error])
    most = {"money": 9, "tokens": 99_999}
    with GRM(
        plugins=script, engine="scripted", k=1, max_tokens=10, dead_groups=99, prices=PRICES,
        budget=most,
    ) as grm:  # fmt: skip
        return grm.score(groups(1)[0]).cost, grm._keeper.budget.spent


def test_failed_requests_count_what_was_told_at_the_prices_that_are_named() -> None:
    lost = TransportError("cut off")
    lost.prompt_tokens, lost.output_tokens = 700, 50
    cost, spent = spent_on(lost)
    assert (cost.prompt_tokens, cost.output_tokens, cost.unpriced) == (700, 50, 0)
    assert cost.money == pytest.approx(0.0018)
    assert spent == (750, pytest.approx(0.0018), 0)
    lost.cached_tokens, lost.same_prompt = "many", 0  # type: ignore[assignment]
    assert spent_on(lost)[1] == spent


def waiting() -> EngineError:
    error = RequestTimeout("waited for 120 s")
    error.may_cost = False
    return error


@pytest.mark.parametrize("error", [TransportError("no JSON"), RequestTimeout("late")], ids=repr)
def test_what_may_be_billed_although_nothing_is_told_counts_in_full(error: EngineError) -> None:
    cost, spent = spent_on(error)
    assert (cost.money, cost.unpriced) == (None, 1)
    assert spent.tokens > 500
    assert spent.money > 0.001


@pytest.mark.parametrize(
    "error",
    [
        *(EngineError("HTTP 400"), DeclinedError("no"), Failed("500"), Busy("429")),
        *(Away("nobody there"), waiting()),
    ],
    ids=repr,
)
def test_what_no_judge_worked_on_costs_nothing(error: EngineError) -> None:
    assert spent_on(error)[1] == Amount()


async def _slow(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
    if request.path == "/v1/chat/completions":
        await asyncio.sleep(0.3)
    return await acts.answer(server, request, body)


def ended_with(act: Any, **settings_: Any) -> tuple[int, bool]:
    """How many requests a real server got for 40 groups, and whether the budget ended it."""
    with (
        JudgeServer(otherwise=act).running() as server,
        GRM(engine={"url": server.url}, k=2, dead_groups=99, **settings_) as grm,
    ):
        try:
            for one in grm.score_many(groups(40)):
                assert not one.scored
        except BudgetError:
            return len(server.bodies), True
        return len(server.bodies), False


@pytest.mark.parametrize("late", [{"request_timeout_s": 0.1}, {"group_timeout_s": 0.1}], ids=repr)
def test_requests_that_are_given_up_do_not_pass_a_budget(late: dict[str, float]) -> None:
    most = {"max_tokens": 1000, "permutations": 1, "budget": {"tokens": 10_000}}
    requests, ended = ended_with(_slow, **late, **most)
    assert ended
    assert requests * 2 * 1000 <= 10_000


def test_draws_that_failed_and_were_billed_do_not_pass_a_budget() -> None:
    usage = {"prompt_tokens": 500, "completion_tokens": 2000}

    async def broken(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        return web.json_response(
            acts.completion(body, finish_reason="error") | {"usage": usage}
            if request.path == "/v1/chat/completions" else {}
        )  # fmt: skip

    prices = {"prompt": 100, "output": 1000}
    most = {"max_tokens": 1000, "permutations": 1, "prices": prices, "budget": {"money": 20}}
    requests, ended = ended_with(broken, **most)
    assert ended
    assert 5 < requests * 2.05 <= 20


@pytest.mark.parametrize("gone", [False, True])
def test_a_judge_that_takes_no_requests_or_is_gone_spends_nothing_of_a_budget(gone: bool) -> None:
    server = JudgeServer()
    with contextlib.ExitStack() as running:
        running.enter_context(server.running())
        with GRM(
            engine={"url": server.url}, k=2, budget={"tokens": 9999}, request_timeout_s=0.2
        ) as grm:
            grm.start()
            server.otherwise = acts.status(429)
            if gone:
                running.close()
            assert ("refused" if gone else "429") in grm.score(groups(1)[0]).unscored
            assert grm._keeper.budget.spent == Amount()


def test_a_failed_draw_that_says_nonsense_of_its_cost_costs_nothing_that_is_known() -> None:
    lost = TransportError("cut off")
    lost.prompt_tokens, lost.output_tokens, lost.money = "many", -3, math.nan  # type: ignore
    with GRM(plugins=scripted([lost]), engine="scripted", k=1, budget={"tokens": 9999}) as grm:
        cost = grm.score(groups(1)[0]).cost
    assert cost == Cost(seconds=cost.seconds, unpriced=1, flops=None)


def test_the_search_for_a_response_that_breaks_a_group_is_left_out_where_it_can_not_be_paid() -> (
    None
):
    def count(**most: object) -> int:
        judge = scripted([Draw(r"\boxed{9, 3, 4}", "stop", 100, 20)])
        with GRM(plugins=judge, engine="scripted", k=2, max_tokens=20, **most) as grm:
            assert not grm.score(groups(1)[0]).scored
            return len(grm.engine.requests)

    assert count() > 2
    assert count(budget={"tokens": 8000}) == 2


def test_a_budget_in_money_without_prices_is_refused_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match="prices of engine 'scripted' are not known; set prices"):
        GRM(plugins=scripted([ANSWER]), engine="scripted", budget={"money": 1})


def test_a_budget_for_a_judge_that_is_not_told_when_to_stop_is_refused() -> None:
    engine = {"url": "http://127.0.0.1:9", "fields": {"max_tokens": None}}
    with pytest.raises(ConfigError, match="does not send max_tokens, so nothing bounds"):
        GRM(engine=engine, budget={"tokens": 9})


def test_an_engine_that_looks_prices_up_may_find_none_when_it_starts() -> None:
    engine = ScriptedEngine([told(1000, 100)])
    engine.prices = None  # type: ignore[attr-defined]
    with GRM(plugins=scripted(engine), engine="scripted", budget={"money": 1}) as grm:
        with pytest.raises(ConfigError, match="prices of engine 'scripted' are not known"):
            grm.start()
        engine.prices = Prices(**PRICES)  # type: ignore[attr-defined]
        assert grm.score(groups(1)[0]).cost.money == pytest.approx(8 * (0.002 + 0.0008))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"budget": {}}, "expected money, tokens or flops"),
        ({"budget": {"money": 0}}, "budget.money"),
        ({"budget": {"money": math.inf}}, "budget.money"),
        ({"budget": {"dollars": 3}}, "budget.dollars"),
        ({"prices": {"output": 3}}, "prices.prompt"),
        ({"prices": {"prompt": 3}}, "prices.output"),
        ({"prices": {"prompt": -1, "output": 3}}, "prices.prompt"),
        ({"prices": {"prompt": 1e300, "output": 3}}, "prices.prompt"),
    ],
)
def test_a_wrong_budget_or_price_is_refused_by_name(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        GRM(plugins=scripted([ANSWER]), engine="scripted", **wrong)


def test_a_budget_that_is_spent_ends_a_run_as_a_dead_judge_does_and_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(BudgetError("budget.money: gone")))
    assert isinstance(error, JudgeDeadError)
    assert str(error) == "budget.money: gone"


def test_one_draw_that_costs_more_than_it_may_is_counted_in_full() -> None:
    with GRM(
        plugins=scripted([told(10, 50_000)]), engine="scripted", k=1, max_tokens=9,
        budget={"tokens": 20_000},
    ) as grm:  # fmt: skip
        assert grm.score(groups(1)[0]).scored
        with pytest.raises(BudgetError, match=r"50,010 tokens of 20,000 tokens is spent and 0 tok"):
            grm.score(groups(1)[0])


def test_threads_share_one_budget() -> None:
    engine = ScriptedEngine([told(100, 20)], delay_s=0.01)
    kept: list[int] = []
    most = {"k": 1, "max_tokens": 20, "budget": {"tokens": 12_000}}
    with GRM(plugins=scripted(engine), engine="scripted", **most) as grm:

        def work() -> None:
            try:
                while True:
                    cost = grm.score(groups(1)[0]).cost
                    kept.append(cost.prompt_tokens + cost.output_tokens)
            except BudgetError:
                return

        threads = [threading.Thread(target=work) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)
    assert sum(kept) <= 12_000
    assert len(kept) > 50


def test_a_request_with_several_draws_pays_for_its_prompt_once() -> None:
    def answer(request: SampleRequest, i: int) -> Draw:
        return told(1000, 100, same_prompt=request.n)

    with GRM(
        plugins=scripted(answer), engine="scripted", k=4, permutations=1, prices=PRICES
    ) as grm:
        verdict = grm.score(groups(1)[0])
    assert verdict.cost.money == pytest.approx(0.002 + 4 * 0.0008)
    assert verdict.cost.unpriced == 0


def test_cached_tokens_cost_what_is_said_of_them() -> None:
    draws = [told(1000, 100, cached_tokens=800)]
    prices = {**PRICES, "cached": 0.5}
    with GRM(plugins=scripted(draws), engine="scripted", k=2, prices=prices) as grm:
        assert grm.score(groups(1)[0]).cost.money == pytest.approx(2 * (0.0004 + 0.0004 + 0.0008))


@pytest.mark.parametrize(("told_", "counts"), [(0, 0.0028), (0.5, 0.5)])
def test_prices_that_are_named_hold_and_a_budget_counts_the_larger_of_them_and_what_is_told(
    told_: float, counts: float
) -> None:
    judge = scripted([told(1000, 100, money=told_)])
    with GRM(
        plugins=judge, engine="scripted", k=1, prices=PRICES, budget={"money": 9}
    ) as grm:  # fmt: skip
        assert grm.score(groups(1)[0]).cost.money == pytest.approx(0.0028)
        assert grm._keeper.budget.spent.money == pytest.approx(counts)


def test_a_cost_that_is_told_holds_where_no_prices_are_named() -> None:
    with GRM(plugins=scripted([told(1000, 100, money=0.5)]), engine="scripted", k=2) as grm:
        assert grm.score(groups(1)[0]).cost.money == 1.0


def test_a_judge_that_tells_no_tokens_is_not_cheap_by_a_cost_of_nothing() -> None:
    judge = scripted([told(0, 0, money=0)])
    with GRM(plugins=judge, engine="scripted", k=1, prices=PRICES, budget={"money": 9}) as grm:
        grm.score(groups(1)[0])
        assert grm._keeper.budget.spent.money > 8 * 2048 / 1e6


amounts = st.none() | st.floats()


@given(st.lists(amounts, max_size=6))
def test_money_of_any_kind_is_summed_without_an_error(money: list[float | None]) -> None:
    costs_ = [Cost(money=one) for one in money]
    lost = [Failure(0, (0,), 0, Reason.TRANSPORT, "", money=one) for one in money]
    for total in (sum(costs_, Cost()).money, Cost.of(lost).money):
        assert total is None or math.isfinite(total)


@pytest.mark.parametrize("cost", [1.7e308, 1e306, 1e999, -1, 10**400, "much"])
def test_a_cost_that_makes_no_sense_costs_no_group(cost: object) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 5, "cost": cost}

    async def tell(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        written = acts.completion(body, message={"content": ANSWER}) | {"usage": usage}
        return web.json_response(written if request.path.endswith("completions") else {})

    with JudgeServer(otherwise=tell).running() as server, GRM(engine={"url": server.url}) as grm:
        verdict = grm.score(groups(1)[0])
    assert (verdict.scored, verdict.cost.money, verdict.cost.unpriced) == (True, None, 8)


@pytest.mark.parametrize("money", [-1.0, math.nan, math.inf, 1.7e308, 10**400, "much", True])
def test_an_amount_that_makes_no_sense_is_not_known(money: object) -> None:
    with GRM(plugins=scripted([told(9, 9, money=money)]), engine="scripted", k=2) as grm:
        cost = grm.score(groups(1)[0]).cost
    assert (cost.money, cost.unpriced) == (None, 2)


class _Rater:
    """A meta RM that tells what it read."""

    def __init__(self, options: object, limits: object) -> None: ...

    async def start(self) -> None: ...

    async def logits(self, texts: list[str]) -> list[Rating | EngineError]:
        return [Rating(1.0, 500), EngineError("too long")][: len(texts)]

    async def close(self) -> None: ...


class _Offer:
    @hookimpl
    def grm_register_classifiers(self, register: Register[ClassifierFactory]) -> None:
        register("rater", _Rater)


def test_what_a_meta_rm_costs_counts_where_its_prices_are_set() -> None:
    select = {"name": "meta_rm", "k_meta": 1, "classifier": {"name": "rater"}}

    def cost(**more: object) -> tuple[Cost, Amount]:
        plugins = scripted([told(1000, 100)], Plugin("rater", _Offer()))
        with GRM(
            plugins=plugins, engine="scripted", k=2, min_valid=1, prices=PRICES,
            select={**select, **more}, budget={"money": 9},
        ) as grm:  # fmt: skip
            return grm.score(groups(1)[0]).cost, grm._keeper.budget.spent

    judge = 2 * (0.002 + 0.0008)
    free, spent = cost()
    assert (free.money, spent.money) == (pytest.approx(judge), pytest.approx(judge))
    paid, spent = cost(prices={"prompt": 100})
    assert paid.unpriced == 1  # nobody told what the rating cost that failed
    assert paid.money == pytest.approx(judge / 2 + 0.05)
    assert spent.money == pytest.approx(judge + 0.05)


LOST = TransportError("cut off")
BILLED = TransportError("cut off, and billed")
BILLED.prompt_tokens, BILLED.output_tokens = 300, 20
lines = st.sampled_from(
    [
        told(400, 20), told(9, 1), LOST, BILLED, Draw("no box", "stop", 200, 20),
        Draw(r"\boxed{1, 2, 3}", "stop", 100, 5), Draw(ANSWER, "length", 400, 20),
    ]
)  # fmt: skip


@given(
    script=st.lists(lines, min_size=1, max_size=30),
    limit=st.integers(1, 60_000),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 9)),
)
@settings(max_examples=25, deadline=None)
def test_failures_searches_and_cut_judgments_do_not_pass_a_budget_either(
    script: list[Draw | TransportError], limit: int, sizes: tuple[int, int]
) -> None:
    k, at_a_time = sizes
    engine = ScriptedEngine(script, delay_s=0.001)
    with GRM(
        plugins=scripted(engine), engine="scripted", k=k, max_tokens=20, budget={"tokens": limit},
        dead_groups=99, max_concurrent_groups=at_a_time, duplicates="keep",
    ) as grm:  # fmt: skip
        verdicts = []
        try:
            for verdict in grm.score_many(groups(8)):
                verdicts.append(verdict)
        except BudgetError:
            assert len(verdicts) < 8
        total = sum((one.cost for one in verdicts), Cost())
        told_of = total.prompt_tokens + total.output_tokens
        spent = grm._keeper.budget.spent.tokens
        assert spent >= told_of if LOST in script else spent == told_of
        assert grm._keeper.budget.spent.tokens <= limit
        assert not grm._keeper.budget._under_way


def test_a_replay_needs_no_prices_and_spends_nothing(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    judge = scripted([told(1000, 100)])
    with GRM(plugins=judge, engine="scripted", k=2, record=record, prices=PRICES) as grm:
        money = grm.score(groups(1)[0]).cost.money
    again = {"name": "replay", "path": str(record)}
    with GRM(engine=again, k=2, vote="median", budget={"money": 1e-9}) as grm:
        assert grm.score(groups(1)[0]).cost.money == money


def test_what_a_server_bills_is_within_the_budget_and_all_of_it_is_in_verdicts() -> None:
    billed: list[float] = []

    async def bill(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        if request.path != "/v1/chat/completions":
            return await acts.answer(server, request, body)
        if len(server.bodies) % 9 == 4:  # fails, and bills nothing
            return await acts.status(500, "oh")(server, request, body)
        read = len(body["messages"][-1]["content"]) // 3
        written = 1 + 7 * len(billed) % body["max_tokens"]
        billed.append((read * 2 + written * 8) / 1e6)
        usage = {"prompt_tokens": read, "completion_tokens": written}
        answer = acts.completion(body, message={"content": ANSWER})
        await asyncio.sleep(0.003)
        return web.json_response(answer | {"usage": usage})

    with JudgeServer(otherwise=bill).running() as server:
        settings_ = {"k": 3, "max_tokens": 50, "prices": PRICES, "budget": {"money": 0.1}}
        with GRM(engine={"url": server.url}, **settings_) as grm:
            verdicts = []
            with pytest.raises(BudgetError):
                for verdict in grm.score_many(groups(500)):
                    verdicts.append(verdict)
    assert 0.05 < math.fsum(billed) <= 0.1
    total = sum((one.cost for one in verdicts), Cost())
    assert total.money == pytest.approx(math.fsum(billed))
    assert all(one.scored for one in verdicts)


@pytest.mark.parametrize("context_tokens", [None, 2600])
def test_a_prompt_that_is_refused_unread_costs_nothing_and_one_that_was_answered_may_be_billed(
    context_tokens: int | None,
) -> None:
    usage = acts.usage_of({"prompt_tokens": 700, "completion_tokens": 9})
    refuse = acts.status(400, "This model's maximum context length is 100 tokens.")
    engine = {"context_tokens": context_tokens} if context_tokens else {}
    with (
        JudgeServer(otherwise=usage if context_tokens else refuse).running() as server,
        GRM(engine={"url": server.url, **engine}, k=2, budget={"tokens": 99_999}) as grm,
    ):
        (verdict,) = grm.score_batch(groups(1))
        assert "context" in verdict.unscored
        assert (grm._keeper.budget.spent.tokens > 0) == bool(context_tokens)
