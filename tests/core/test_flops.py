"""FLOPs of a judge: two for each active parameter and token, counted, told and kept in a budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.classifiers import ClassifierFactory, Rating
from grm_plugin.engine import Draw
from grm_plugin.errors import BudgetError, ConfigError, RequestTimeout
from grm_plugin.hookspecs import Register
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.plugins import Plugin
from grm_plugin.prices import BudgetLimits
from grm_plugin.records import read_verdicts
from grm_plugin.testing import ScriptedEngine, scripted
from grm_plugin.types import Cost

ANSWER = r"\boxed{9, 3}"
PER_TOKEN = 2e6


def groups(n: int) -> list[Group]:
    return [Group.of(f"question {i}", ["4", "5"], id=str(i)) for i in range(n)]


def told(prompt: int, output: int, cached: int | None = None) -> Draw:
    return Draw(ANSWER, "stop", prompt, output, cached_tokens=cached)


def test_a_verdict_tells_the_flops_of_its_tokens_and_cached_ones_of_prompts_take_none() -> None:
    judge = scripted([told(1000, 100), told(1000, 50, cached=800)])
    with GRM(plugins=judge, engine="scripted", k=2, flops_per_token=PER_TOKEN) as grm:
        verdict = grm.score(groups(1)[0])
    assert verdict.cost.flops == PER_TOKEN * (1000 + 100 + 200 + 50)
    assert numbers(Tally.of([verdict, verdict]))["flops"] == 2 * verdict.cost.flops


def test_draws_of_one_request_share_the_flops_of_its_prompt_as_they_do_its_price() -> None:
    shared = [replace(told(1000, 10, cached=200), same_prompt=8)]
    settings = {"k": 8, "flops_per_token": PER_TOKEN, "budget": {"flops": 1e15}}
    with GRM(plugins=scripted(shared), engine="scripted", **settings) as grm:
        verdict = grm.score(groups(1)[0])
        spent = grm._keeper.budget.spent.flops
    assert verdict.cost.flops == spent == PER_TOKEN * (800 + 8 * 10)
    assert {one.flops for one in verdict.judgments} == {PER_TOKEN * 110}


def test_a_replay_tells_the_flops_that_are_on_record(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    settings = {"k": 2, "record": record, "flops_per_token": PER_TOKEN}
    with GRM(plugins=scripted([told(1000, 10)]), engine="scripted", **settings) as grm:
        judged = grm.score(groups(1)[0])
    with GRM(engine={"name": "replay", "path": record}) as grm:
        assert grm.score(groups(1)[0]).cost.flops == judged.cost.flops == PER_TOKEN * 2020


def test_flops_are_not_known_without_the_size_of_the_judge_and_never_0_by_ignorance() -> None:
    with GRM(plugins=scripted([told(1000, 100)]), engine="scripted", k=1) as grm:
        assert grm.score(groups(1)[0]).cost.flops is None


def test_an_engine_that_counts_its_parameters_needs_no_setting() -> None:
    engine = ScriptedEngine([told(1000, 100)])
    engine.flops_per_token = PER_TOKEN  # type: ignore[attr-defined]
    with GRM(plugins=scripted(engine), engine="scripted", k=1) as grm:
        assert grm.score(groups(1)[0]).cost.flops == PER_TOKEN * 1100


class MetaRM:
    """A meta RM, or a scalar RM, to which every text is so many tokens."""

    flops_per_token = 1e6

    async def start(self) -> None: ...

    async def logits(self, texts: list[str]) -> list[Rating]:
        return [Rating(0.5, 300) for _ in texts]

    logits_of_conversations = logits

    async def close(self) -> None: ...


class _Offer:
    @hookimpl
    def grm_register_classifiers(self, register: Register[ClassifierFactory]) -> None:
        register("counted", lambda options, limits: MetaRM())


@pytest.mark.parametrize(("named", "per_token"), [({}, 1e6), ({"flops_per_token": 3e6}, 3e6)])
def test_what_a_meta_rm_reads_counts_with_its_own_size(
    named: dict[str, float], per_token: float
) -> None:
    judge = scripted([told(1000, 100)], Plugin("counted", _Offer()))
    select = {"name": "meta_rm", "classifier": {"name": "counted"}, **named}
    with GRM(
        plugins=judge, engine="scripted", k=2, select=select, flops_per_token=PER_TOKEN,
        budget={"flops": 1e15},
    ) as grm:  # fmt: skip
        verdict = grm.score(groups(1)[0])
        spent = grm._keeper.budget.spent.flops
    assert verdict.cost.flops == PER_TOKEN * 2 * 1100 + per_token * 2 * 300
    assert spent == verdict.cost.flops


@pytest.mark.parametrize(("use", "judged"), [("alone", 0), ("vote", 1)])
def test_what_a_scalar_rm_reads_counts_with_its_own_size_also_without_a_judge(
    use: str, judged: int
) -> None:
    judge = scripted([told(1000, 100)], Plugin("counted", _Offer()))
    scalar = {"use": use, "classifier": {"name": "counted"}}
    named = {"engine": "scripted", "flops_per_token": PER_TOKEN} if judged else {}
    with GRM(plugins=judge, k=2, scalar=scalar, budget={"flops": 1e15}, **named) as grm:
        verdict = grm.score(groups(1)[0])
        spent = grm._keeper.budget.spent.flops
    assert verdict.cost.flops == judged * PER_TOKEN * 2 * 1100 + 1e6 * 2 * 300
    assert spent == verdict.cost.flops


@given(st.lists(st.tuples(st.integers(300, 1000), st.integers(0, 20)), min_size=1, max_size=20))
@settings(max_examples=8, deadline=None)
def test_a_budget_in_flops_is_not_passed(tokens: list[tuple[int, int]]) -> None:
    limit = 60_000 * PER_TOKEN
    judge = scripted([told(*one) for one in tokens])
    with GRM(
        plugins=judge, engine="scripted", k=2, max_tokens=20, budget={"flops": limit},
        flops_per_token=PER_TOKEN,
    ) as grm:  # fmt: skip
        scored = []
        with pytest.raises(BudgetError, match=r"budget\.flops: .* FLOPs of 1\.2e\+11 FLOPs"):
            for verdict in grm.score_many(groups(100)):
                scored.append(verdict)
    assert sum(one.cost.flops or 0.0 for one in scored) <= limit


def test_a_draw_of_which_nothing_is_told_counts_as_the_most() -> None:
    judge = scripted([RequestTimeout("no answer")])
    settings = {"k": 1, "budget": {"flops": 1e12}, "flops_per_token": PER_TOKEN}
    with GRM(plugins=judge, engine="scripted", max_tokens=20, **settings) as grm:
        verdict = grm.score(groups(1)[0])
        assert grm._keeper.budget.spent.flops > PER_TOKEN * 20
    assert verdict.cost.flops == 0


def test_a_budget_of_an_unknown_size_is_refused_with_what_to_set() -> None:
    with pytest.raises(ConfigError, match="set flops_per_token to twice its active"):
        GRM(plugins=scripted([ANSWER]), engine="scripted", budget={"flops": 1e12})


def test_what_is_on_record_counts_when_the_run_goes_on(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    judge = scripted([told(9_000, 20)])
    settings = {"k": 1, "max_tokens": 20, "record": record, "flops_per_token": PER_TOKEN}
    with GRM(plugins=judge, engine="scripted", **settings) as grm:
        grm.score(groups(1)[0])
    (earlier,) = read_verdicts(record)
    assert earlier.cost.flops == PER_TOKEN * 9020
    budget = {"flops": PER_TOKEN * 9_500}
    with GRM(plugins=judge, engine="scripted", budget=budget, **settings) as grm:
        grm.spend(earlier.cost)
        with pytest.raises(BudgetError, match=r"1\.8e\+10 FLOPs of 1\.9e\+10 FLOPs is spent"):
            grm.score(groups(2)[1])


def test_limits_of_all_three_units_have_shares() -> None:
    limits = BudgetLimits(money=6, tokens=1001, flops=1e18)
    assert limits.share(4) == BudgetLimits(money=1.5, tokens=250, flops=2.5e17)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e20)), max_size=5))
def test_flops_are_added_and_not_known_where_those_of_one_part_are_not(
    amounts: list[float | None],
) -> None:
    found = sum((Cost(flops=one) for one in amounts), Cost()).flops
    known = [one for one in amounts if one is not None]
    assert found == (pytest.approx(sum(known)) if len(known) == len(amounts) else None)


def test_tokens_without_flops_are_of_a_size_that_is_not_known() -> None:
    assert (Cost(prompt_tokens=10) + Cost(flops=1e9)).flops is None
    assert (Cost(seconds=3.0) + Cost(flops=1e9)).flops == 1e9


class Sizeless(MetaRM):
    flops_per_token = None  # type: ignore[assignment]


class _Sizeless:
    @hookimpl
    def grm_register_classifiers(self, register: Register[ClassifierFactory]) -> None:
        register("sizeless", lambda options, limits: Sizeless())


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"scalar": {"classifier": {"name": "sizeless"}}}, r"scalar\.flops_per_token"),
        ({"select": {"name": "meta_rm", "classifier": {"name": "sizeless"}}}, r"select\.flops_"),
    ],
)
def test_a_model_of_unknown_size_beside_the_judge_is_not_left_out(
    part: dict[str, Any], said: str
) -> None:
    judge = scripted([told(1000, 100)], Plugin("sizeless", _Sizeless()))
    settings = {"plugins": judge, "engine": "scripted", "flops_per_token": PER_TOKEN, **part}
    with GRM(k=2, **settings) as grm:
        assert grm.score(groups(1)[0]).cost.flops is None
    with GRM(budget={"flops": 1e15}, **settings) as grm, pytest.raises(ConfigError, match=said):
        grm.score(groups(1)[0])
