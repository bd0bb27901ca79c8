"""The control judge costs no reward, whatever it says or fails at; what it costs is told."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from grm_plugin import GRM, Group
from grm_plugin.engine import Draw
from grm_plugin.errors import ConfigError, RecordError, TransportError
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.pipeline.control_judge import control_config
from grm_plugin.plugins import Plugins
from grm_plugin.records import read_verdicts
from grm_plugin.records.line import from_record, to_record
from grm_plugin.testing import ScriptedEngine, scripted
from grm_plugin.types import Verdict
from grm_plugin.watching.compared import is_chosen
from grm_plugin.watching.start import rounds_of
from tests.pipeline.scalar_rm import ScalarRM, group, parts
from tests.watching.judges import two

GOOD = Draw(r"\boxed{9, 9}", "stop", prompt_tokens=10, output_tokens=2)
POOR = Draw(r"\boxed{2, 2}", "stop", prompt_tokens=10, output_tokens=2)
GROUPS = [Group.of(f"question {i}", ["4", "5"]) for i in range(24)]


def watching(share: float = 1.0, **judge: object) -> dict[str, object]:
    return {"control": {"share": share, "judge": {"engine": "second", **judge}}}


def judged(
    control: ScriptedEngine, watch: dict[str, object] | None, groups: list[Group], **more: object
) -> list[Verdict]:
    plugins = two(ScriptedEngine([GOOD]), control)
    with GRM(plugins=plugins, engine="scripted", k=2, seed=3, watch=watch, **more) as grm:
        return grm.score_batch(groups)


def test_it_judges_its_share_of_the_groups_with_its_own_settings_and_changes_no_reward() -> None:
    found = judged(ScriptedEngine([POOR]), watching(0.4, k=5), GROUPS)
    without = judged(ScriptedEngine([POOR]), None, GROUPS)
    assert [one.rewards for one in found] == [one.rewards for one in without]
    assert [one.judgments for one in found] == [one.judgments for one in without]
    chosen = [is_chosen(group.fingerprint, 3, 0.4) for group in GROUPS]
    assert [one.control is not None for one in found] == chosen
    assert 0 < sum(chosen) < len(chosen)
    controls = [one.control for one in found if one.control]
    assert {one.rewards for one in controls} == {(1 / 9, 1 / 9)}
    assert {(one.origin["k"], one.origin["engine"]) for one in controls} == {(5, "second")}


def test_a_control_judge_that_fails_costs_no_reward_and_is_counted() -> None:
    found = judged(ScriptedEngine([TransportError("nobody listens")]), watching(), GROUPS[:2])
    assert all(one.scored for one in found)
    assert all(one.control and "nobody listens" in one.control.unscored for one in found)
    counted = numbers(Tally.of(found))
    assert (counted["control_failed_rate"], counted["control_rate"]) == (1.0, 0.0)


def test_a_control_judge_that_can_not_start_costs_no_reward() -> None:
    class Broken(ScriptedEngine):
        async def start(self) -> None:
            raise TransportError("no such model")

    found = judged(Broken([GOOD]), watching(), GROUPS[:2])
    assert all(one.scored and one.control and one.control.rewards is None for one in found)


def test_a_control_judge_that_hangs_delays_a_verdict_by_no_more_than_its_own_time() -> None:
    watch = watching(group_timeout_s=0.5, request_timeout_s=0.3)
    began = time.monotonic()
    found = judged(ScriptedEngine([GOOD], delay_s=60), watch, GROUPS[:3])
    assert time.monotonic() - began < 10
    assert all(one.scored and one.control and one.control.rewards is None for one in found)


def test_after_many_failures_it_is_asked_no_more_for_a_while() -> None:
    control = ScriptedEngine([TransportError("nobody listens")])
    watch = watching(dead_groups=3)
    plugins = two(ScriptedEngine([GOOD]), control)
    with GRM(plugins=plugins, engine="scripted", k=2, watch=watch) as grm:
        found = [grm.score(group) for group in GROUPS[:6]]
    assert len({request.group for request in control.requests}) == 3
    assert found[-1].control and "asked again in" in found[-1].control.unscored


def test_both_judge_at_the_same_time() -> None:
    judge, control = ScriptedEngine([GOOD], delay_s=1.0), ScriptedEngine([POOR], delay_s=1.0)
    with GRM(plugins=two(judge, control), engine="scripted", k=1, watch=watching()) as grm:
        grm.start()
        began = time.monotonic()
        found = grm.score(GROUPS[0])
        assert time.monotonic() - began < 1.9
    assert found.control and found.control.rewards


def test_what_it_costs_is_told_and_counts_in_the_budget() -> None:
    (found,) = judged(ScriptedEngine([POOR]), watching(k=4), GROUPS[:1])
    assert (found.cost.prompt_tokens, found.spent.prompt_tokens) == (20, 60)
    assert Tally.of([found]).cost.output_tokens == 12
    plugins = two(ScriptedEngine([GOOD]), ScriptedEngine([POOR]))
    settings = {"k": 2, "max_tokens": 2, "budget": {"tokens": 10_000}, "watch": watching(k=4)}
    with GRM(plugins=plugins, engine="scripted", **settings) as grm:
        grm.score(GROUPS[0])
        assert grm._keeper.budget.spent.tokens == 72


def test_a_budget_that_the_control_judge_would_pass_costs_no_reward() -> None:
    plugins = two(ScriptedEngine([GOOD]), ScriptedEngine([POOR]))
    settings = {"k": 2, "max_tokens": 2, "budget": {"tokens": 20_000}, "watch": watching(k=1000)}
    with GRM(plugins=plugins, engine="scripted", **settings) as grm:
        found = grm.score(GROUPS[0])
    assert found.scored
    assert found.control and "budget" in found.control.unscored


def test_parts_that_are_set_alike_are_there_once() -> None:
    engine = ScriptedEngine([GOOD])
    watch = {"control": {"share": 1.0, "judge": {"k": 3}}}
    with GRM(plugins=scripted(engine), engine="scripted", k=1, watch=watch) as grm:
        found = grm.score(GROUPS[0])
    assert (engine.starts, engine.closes) == (1, 1)
    assert found.control and found.control.origin["k"] == 3
    seeds = {request.seed for request in engine.requests if request.n}
    assert len(seeds) > 1, "the control judge draws of its own"


def test_a_record_keeps_it_and_a_replay_gives_it_back(tmp_path: Path) -> None:
    record = tmp_path / "verdicts.jsonl"
    before = judged(ScriptedEngine([POOR]), watching(0.5, k=4), GROUPS[:8], record=record)
    recorded = {one.group.fingerprint: one.control for one in read_verdicts(record)}
    assert recorded == {one.group.fingerprint: one.control for one in before}
    with GRM(engine={"name": "replay", "path": record}, k=2) as grm:
        assert [one.control for one in grm.score_batch(GROUPS[:8])] == [
            one.control for one in before
        ]


def test_a_record_of_an_earlier_release_has_none_and_one_that_can_not_be_is_refused() -> None:
    (found,) = judged(ScriptedEngine([POOR]), watching(), GROUPS[:1])
    known = to_record(found)
    assert from_record({k: v for k, v in known.items() if k != "control"}).control is None
    for rewards in ([0.1], [0.1, 0.2, 0.3]):
        wrong = {**known, "control": {**known["control"], "rewards": rewards}}
        with pytest.raises(RecordError, match="control: expected 2 finite rewards"):
            from_record(wrong)


@pytest.mark.parametrize(
    ("watch", "says"),
    [
        ({}, "expected a control judge or artefacts, got neither"),
        ({"alarm": "stop"}, "expected a control judge or artefacts, got neither"),
        ({"control": {"judge": {}}}, "watch.control.judge"),
        ({"control": {"share": 0, "judge": {"k": 3}}}, "watch.control.share: expected more than 0"),
        ({"control": {"judge": {"kk": 3}}}, "watch.control.judge: unknown key 'kk'"),
        ({"control": {"judge": {"engine": "secnd"}}}, "did you mean 'second'"),
        ({"control": {"judge": {"record": "a.jsonl"}}}, "record: expected settings of a judge"),
        ({"artefacts": {"praise": "*"}}, "praise: expected a text of 1 to 200 characters"),
        ({"artefacts": {"Praise!": "great"}}, "expected names of small letters"),
        ({"artefacts": {"opening": "great"}}, "opening: expected another name"),
        ({"artefacts": {"a": "b"}, "alarm": "shout"}, "watch.alarm"),
        ({"artefacts": {"a": "b"}, "alarm": "raise_k"}, "raise_k expected a control judge"),
        (
            {"control": {"judge": {"k": 32}}, "alarm": "raise_k", "most": 2},
            "watch.most: expected more samples than the judge's",
        ),
    ],
)
def test_what_can_not_be_watched_is_refused_before_anything_starts(
    watch: dict[str, object], says: str
) -> None:
    plugins = two(ScriptedEngine([GOOD]), ScriptedEngine([POOR]))
    with pytest.raises(ConfigError) as raised:
        GRM(plugins=plugins, engine="scripted", watch=watch)
    assert says in str(raised.value)


def test_a_template_beside_the_configuration_is_found(tmp_path: Path) -> None:
    own = files("grm_plugin.prompts").joinpath("grm.txt").read_text()
    (tmp_path / "other.txt").write_text(own.replace("Analysis", "Reasons"))
    (tmp_path / "grm.yaml").write_text(
        "engine: scripted\nwatch: {control: {share: 1, judge: {template: other.txt}}}\n"
    )
    with GRM(tmp_path / "grm.yaml", plugins=scripted([GOOD])) as grm:
        (found,) = grm.score_batch(GROUPS[:1])
    assert found.control
    assert found.control.origin["template_hash"] != found.origin["template_hash"]


def test_a_verdict_without_one_is_the_same_as_before() -> None:
    (found,) = judged(ScriptedEngine([POOR]), None, GROUPS[:1])
    assert found.control is None
    assert replace(found.spent, seconds=0.0) == replace(found.cost, seconds=0.0, unpriced=2)


@pytest.mark.parametrize("use", ["alone", "cascade", "vote"])
def test_a_scalar_rm_is_watched_too_and_the_control_judge_asks_none(use: str) -> None:
    rm, control = ScalarRM(), ScriptedEngine([POOR])
    plugins = Plugins([*two(ScriptedEngine([GOOD]), control).plugins, *parts(rm).plugins[-1:]])
    engine = {} if use == "alone" else {"engine": "scripted"}
    scalar = {"classifier": "said", "use": use}
    watch = watching(k=3)
    with GRM(plugins=plugins, scalar=scalar, watch=watch, **engine) as grm:
        found = grm.score(group((2, -3), (9, 3)))
    assert found.scalar and found.scored
    assert found.control and found.control.rewards == (1 / 9, 1 / 9)
    assert "scalar" not in found.control.origin
    assert (rm.starts, len(rm.conversations), control.starts) == (1, 2, 1)


def priced(**judge: object) -> GRM:
    plugins = two(ScriptedEngine([GOOD]), ScriptedEngine([POOR]))
    known = {"prices": {"prompt": 1, "output": 1}, "flops_per_token": 1e9}
    return GRM(plugins=plugins, engine="scripted", watch=watching(**judge), **known)


def test_another_engine_has_neither_the_prices_nor_the_size_of_the_judge() -> None:
    other = control_config(priced().config)
    assert other and (other.prices, other.flops_per_token) == (None, None)
    own = control_config(priced(flops_per_token=3e9).config)
    assert own and own.flops_per_token == 3e9
    same = control_config(priced(engine="scripted").config)
    assert same and same.prices and same.flops_per_token == 1e9


@pytest.mark.parametrize(
    ("unit", "missing"), [("money", "prices: "), ("flops", "flops_per_token ")]
)
def test_a_budget_needs_to_know_what_the_control_judge_costs(unit: str, missing: str) -> None:
    settings = priced().config.but(budget={unit: 1.0})
    plugins = two(ScriptedEngine([GOOD]), ScriptedEngine([POOR]))
    with pytest.raises(ConfigError, match=rf"'second' .* set watch\.control\.judge\.{missing}"):
        GRM(settings, plugins=plugins)


def test_prices_that_a_control_judge_never_finds_end_the_run_before_the_first_token() -> None:
    control = ScriptedEngine([POOR])
    control.prices = None  # type: ignore[attr-defined]
    settings = priced().config.but(budget={"money": 1.0})
    judge = ScriptedEngine([GOOD])
    with (
        GRM(settings, plugins=two(judge, control)) as grm,
        pytest.raises(ConfigError, match=r"set watch\.control\.judge\.prices"),
    ):
        grm.score(GROUPS[0])
    assert not judge.requests


def test_the_record_tells_of_how_many_rounds_the_start_is() -> None:
    watch = {"control": {"share": 1.0, "judge": {"k": 2}}, "start": 7}
    with GRM(plugins=scripted(["\\boxed{9, 3}"]), engine="scripted", k=1, watch=watch) as grm:
        assert rounds_of(grm.score("2 + 2?", ["4", "5"]).control) == 7
