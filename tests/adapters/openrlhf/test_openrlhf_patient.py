"""The engine for servers of the launcher: real servers in a real Ray cluster, which really die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from grm_openrlhf import servers
from grm_openrlhf.options import Placement
from grm_openrlhf.patient import NAME, PatientEngine
from grm_plugin import GRM, Group
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError
from tests.adapters.openrlhf.conftest import with_adapter
from tests.adapters.openrlhf.stand_in import cluster, serve
from tests.e2e.openrlhf.loading_judge import loading, pids

GROUP = Group.of("why?", ["because", "no idea"])
ONE = Placement(replicas=1, gpus=0)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with cluster(include_dashboard=False) as running:
        yield running.address


@pytest.fixture
def folder(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    ray.init(address, log_to_driver=False)
    yield tmp_path
    ray.shutdown()


def judge(**settings: Any) -> GRM:
    """One that would be dead after its first group without a reward."""
    strict = {"k": 2, "tries": 1, "request_timeout_s": 5, "dead_groups": 1, "dead_after_s": 0}
    return GRM(plugins=with_adapter([]), engine={"name": NAME}, **{**strict, **settings})


def kill(folder: Path) -> None:
    os.kill(pids(folder)[-1], signal.SIGKILL)


def test_a_group_waits_for_a_server_that_is_killed_and_takes_long_to_load(folder: Path) -> None:
    with servers.running(loading(folder, load_s=8), ONE, None), judge() as grm:
        before = grm.score(GROUP)
        kill(folder)
        began = time.monotonic()
        after = grm.score(GROUP)
    assert before.rewards == after.rewards is not None
    assert not after.failures
    assert time.monotonic() - began > 8
    assert len(pids(folder)) == 2


def test_a_server_that_is_killed_while_it_judges_costs_no_group(folder: Path) -> None:
    groups = [Group.of(f"why {n}?", ["because", "no idea"]) for n in range(40)]
    launched = servers.running(loading(folder, load_s=1), ONE, None)
    with launched, judge(max_concurrent_groups=4) as grm:
        found = []
        for verdict in grm.score_many(groups):
            found.append(verdict)
            if len(found) in (5, 20):
                kill(folder)
    assert [one.scored for one in found] == [True] * 40
    assert len(pids(folder)) == 3


def test_the_wait_ends_with_the_deadline_of_the_group(folder: Path) -> None:
    with (
        servers.running(loading(folder, load_s=300), ONE, None),
        judge(group_timeout_s=6, dead_groups=2) as grm,
    ):
        assert grm.score(GROUP).scored
        kill(folder)
        verdict = grm.score(GROUP)
    assert not verdict.scored
    assert "deadline" in verdict.failures[0].detail


def test_a_server_that_is_healthy_and_fails_is_not_waited_for(folder: Path) -> None:
    with servers.running(serve(), ONE, None), judge(dead_groups=2) as grm:  # it takes no POST
        assert "501" in grm.score(GROUP).failures[0].detail


def test_without_a_launcher_the_engine_says_who_it_is_for(folder: Path) -> None:
    with pytest.raises(EngineError, match=r"is for the rollout actors of python -m grm_openrlhf"):
        judge().start()
    assert PatientEngine({}, Limits()).model == ""
