"""A record says which plan and contract made it, nothing private, and replays only as itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grm_plugin import GRM, hookimpl
from grm_plugin.errors import RecordError
from grm_plugin.plugins import Plugin
from grm_plugin.records import read_verdicts
from grm_plugin.testing import scripted
from tests.core.honest_judge import box, grm, group, honest
from tests.pipeline.test_combining import Longest, better

RING = {"name": "pairs", "scheme": "circular", "aggregate": "margin"}


def test_an_origin_names_the_contract_and_plan_that_are_in_use() -> None:
    for settings, plan in (({}, "list"), ({"plan": "each"}, "each"), ({"plan": "pairs"}, RING)):
        with grm(better, k=2, **settings) as judge:
            origin = judge.origin
        assert (origin["contract"], origin["plan"]) == ("boxed", plan)
        assert origin["thinking"] == {"marks": [], "closed": False}
        assert "find_culprits" in origin


def test_an_origin_holds_no_address_no_secret_and_no_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HIDDEN", "x")
    classifier = {
        "name": "server",
        "url": "http://secret.example",
        "proxy": "http://secret.example",
        "query": {"api-version": "at secret.example"},
        "model": "m",
        "api_key_env": "HIDDEN",
    }
    for given in (classifier, Longest()):
        with grm(honest, k=2, select={"name": "meta_rm", "classifier": given}) as judge:
            written = json.dumps(judge.origin)
        assert "secret.example" not in written and "HIDDEN" not in written and "0x" not in written
        assert ("server" if given is classifier else "Longest") in written


@pytest.mark.parametrize("plan", ["pairs", "each", {**RING, "aggregate": "bradley_terry"}])
def test_a_replay_with_another_plan_is_refused(tmp_path: Path, plan: object) -> None:
    path, asked = tmp_path / "r.jsonl", group(2, 9, 5)
    with grm(honest if plan == "each" else better, k=2, plan=plan, record=path) as judge:
        first = judge.score(asked)
    for other in (None, "list") if plan != RING else ("pairs",):
        with (
            GRM(engine={"name": "replay", "path": path}, plan=other) as judge,
            pytest.raises(
                RecordError, match=r"on record: judged with the plan .* replay with plan"
            ),
        ):
            judge.score(asked)
    with GRM(engine={"name": "replay", "path": path}, plan=plan) as judge:
        assert judge.score(asked).rewards == first.rewards


def test_pairs_meet_in_another_aggregate_only_when_it_is_named(tmp_path: Path) -> None:
    path, asked, fitted = tmp_path / "r.jsonl", group(2, 9), {**RING, "aggregate": "bradley_terry"}
    with grm(better, k=2, plan=fitted, record=path) as judge:
        judge.score(asked)
    replay = {"name": "replay", "path": path}
    with GRM(engine=replay, plan="pairs") as judge, pytest.raises(RecordError, match="the plan"):
        judge.score(asked)
    with GRM(engine=replay, plan={"name": "pairs", "aggregate": "margin"}) as judge:
        assert judge.score(asked).rewards == (0.0, 1.0)


class Early:
    """Stops after two samples."""

    def __init__(self, options, limits) -> None: ...

    def more(self, case, judgments, drawn: int) -> int:
        return 0 if drawn else 2


class Stops:
    """Offers it."""

    @hookimpl
    def grm_register_stoppers(self, register) -> None:
        register("early", Early)


def test_what_is_enough_goes_by_the_samples_that_a_stopper_drew(tmp_path: Path) -> None:
    path, asked = tmp_path / "r.jsonl", group(2, 9)
    plugins = scripted([box([2, 9]), "?"], Plugin("stops", Stops()))
    settings = {"engine": "scripted", "k": 8, "stop": "early", "permutations": 1}
    with GRM(plugins=plugins, record=path, **settings) as judge:
        first = judge.score(asked)
    assert first.scored and first.origin["k"] == 8
    assert len(first.judgments) + len(first.failures) == 2
    with GRM(engine={"name": "replay", "path": path}) as judge:
        assert judge.score(asked).rewards == first.rewards
    assert next(read_verdicts(path)).rewards == first.rewards
