from __future__ import annotations

from pathlib import Path

import pytest

import grm_plugin
from grm_openrlhf import agreement, rollouts
from grm_openrlhf.agreement import check_agreed
from grm_openrlhf.ledger import Ledger
from grm_openrlhf.options import options_of
from grm_plugin import GRM
from grm_plugin.errors import ConfigError
from grm_plugin.testing import scripted
from tests.adapters.openrlhf.conftest import MakeActor
from tests.engines.judge_server import JudgeServer


def judge(**settings: object) -> GRM:
    return GRM(plugins=scripted([]), engine="scripted", **settings)


def findings(judge: GRM, own_agent: Path | None) -> dict[str, str]:
    return agreement.findings(judge, options_of(judge.config), own_agent)


def test_the_same_settings_in_two_processes_agree() -> None:
    check_agreed(findings(judge(k=4), None), findings(judge(k=4), None), "actor")


def test_where_an_actor_keeps_its_records_is_its_own_business(tmp_path: Path) -> None:
    here = judge(record=tmp_path / "seen", dead_groups=50)
    check_agreed(findings(judge(), None), findings(here, None), "actor")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"k": 8}, "k is '4' there and '8' here"),
        ({"vote": "sum"}, "vote is 'mean' there and 'sum' here"),
    ],
)
def test_settings_that_differ_are_named_with_both_values(
    settings: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_agreed(
            findings(judge(k=4), None), findings(judge(**{"k": 4, **settings}), None), "actor 7"
        )
    assert told in str(caught.value)
    assert str(caught.value).startswith("actor 7 would score otherwise")


def test_another_version_another_template_and_another_agent_file_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, template = tmp_path / "own.py", tmp_path / "mine.txt"
    own.write_text("1")
    template.write_text("{{conversation}} {{responses}} box them: \\boxed{..}")
    there = findings(judge(), own)
    own.write_text("2")
    monkeypatch.setattr(grm_plugin, "__version__", "0.0.7")
    with pytest.raises(ConfigError) as caught:
        check_agreed(there, findings(judge(template=str(template)), own), "actor")
    for told in ("version of grm-plugin is", "'0.0.7' here", "template is", "agent file is"):
        assert told in str(caught.value)


def test_without_a_launcher_there_is_nothing_to_agree_on() -> None:
    check_agreed({}, findings(judge(), None), "actor")


async def test_an_actor_that_would_score_otherwise_ends_the_run(actor: MakeActor) -> None:
    one = actor(["\\boxed{5}"], k=2, run={"agreed": findings(judge(k=4, seed=1), None)})
    with pytest.raises(ConfigError, match=r"rollout process-\d+ .* k is '4' there and '2' here"):
        await one.generate_responses("q", ["a"])


async def test_actors_whose_servers_serve_different_judges_end_the_run(
    actor: MakeActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Ledger()
    monkeypatch.setattr(rollouts, "RemoteLedger", lambda: shared)
    with JudgeServer(model="grm-a").running() as a, JudgeServer(model="grm-b").running() as b:
        for server in (a, a):
            one = actor([], run={"ledger": True}, engine={"url": server.url})
            await one.generate_responses("q", ["-"])
        with pytest.raises(ConfigError, match=r"served the judge 'grm-b', .* 'grm-a'; serve the"):
            other = actor([], run={"ledger": True}, engine={"url": b.url})
            await other.generate_responses("q", ["-"])
