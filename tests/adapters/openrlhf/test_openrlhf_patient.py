"""The engine for servers of the launcher: where its patience ends. ``tests/faults`` has more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from grm_openrlhf import servers
from grm_openrlhf.options import SERVERS as NAME
from grm_openrlhf.options import Placement
from grm_openrlhf.patient import PatientEngine
from grm_plugin import GRM, Group
from grm_plugin.engine import Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import EngineError
from tests.adapters.openrlhf.conftest import with_adapter
from tests.adapters.openrlhf.stand_in import cluster, serve
from tests.e2e.openrlhf.loading_judge import kill, loading

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


def test_the_wait_ends_with_the_deadline_of_the_group(folder: Path) -> None:
    with (
        servers.running(loading(folder, load_s=300), ONE, None),
        judge(group_timeout_s=6, dead_groups=2) as grm,
    ):
        assert grm.score(GROUP).scored
        kill(folder)
        verdict = grm.score(GROUP)
    assert not verdict.scored
    assert verdict.failures[0].detail.endswith("no judge server is up")


def test_a_server_that_is_healthy_and_fails_is_not_waited_for(folder: Path) -> None:
    with servers.running(serve(), ONE, None), judge(dead_groups=2) as grm:  # it takes no POST
        assert "501" in grm.score(GROUP).failures[0].detail


def test_what_the_engine_server_has_besides_this_one_has_too() -> None:
    known = {name for name in dir(ServerEngine) if not name.startswith("_")}
    own = {"Options", "abandon"}  # the servers are the launcher's
    assert known - own <= set(dir(PatientEngine({}, Limits())))


def test_without_a_launcher_the_engine_says_who_it_is_for(folder: Path) -> None:
    with pytest.raises(EngineError, match=r"is for the rollout actors of python -m grm_openrlhf"):
        judge().start()
    assert PatientEngine({}, Limits()).model == ""
