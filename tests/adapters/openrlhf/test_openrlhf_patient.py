"""The engine for servers of the launcher: where its patience ends. ``tests/faults`` has more."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
import ray

from grm_openrlhf import servers
from grm_openrlhf.options import SERVERS as NAME
from grm_openrlhf.options import Placement
from grm_openrlhf.patient import PatientEngine, Watch
from grm_plugin import GRM, Group
from grm_plugin.engine import Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import EngineError
from tests.adapters.openrlhf.conftest import with_adapter
from tests.adapters.openrlhf.stand_in import serve
from tests.e2e.openrlhf.loading_judge import kill, loading

GROUP = Group.of("why?", ["because", "no idea"])
ONE = Placement(replicas=1, gpus=0)


def judge(**settings: Any) -> GRM:
    """One that would be dead after its first group without a reward."""
    settings = {"engine": {"name": NAME}, **settings}
    strict = {"k": 2, "tries": 1, "request_timeout_s": 5, "dead_groups": 1, "dead_after_s": 0}
    return GRM(plugins=with_adapter([]), **{**strict, **settings})


def test_the_wait_ends_with_the_deadline_of_the_group(joined: Path) -> None:
    with (
        servers.running(loading(joined, load_s=300), ONE, None),
        judge(group_timeout_s=6, dead_groups=2) as grm,
    ):
        assert grm.score(GROUP).scored
        kill(joined)
        verdict = grm.score(GROUP)
    assert not verdict.scored
    assert verdict.failures[0].detail.endswith("no judge server is up")


def test_a_server_that_is_healthy_and_fails_is_not_waited_for(joined: Path) -> None:
    with servers.running(serve(), ONE, None), judge(dead_groups=2) as grm:  # it takes no POST
        assert "501" in grm.score(GROUP).failures[0].detail


class Keeper:
    """An actor that tells an address, and of its server what it is made with."""

    def __init__(self, life_s: float) -> None:
        self._life_s = life_s

    async def url(self) -> str:
        return "http://127.0.0.1:9"

    async def life(self) -> str:
        await asyncio.sleep(self._life_s)
        return ""


def kept(life_s: float) -> Any:
    keeper = ray.remote(Keeper).options(name="grm-judge-0", num_cpus=0).remote(life_s)
    ray.get(keeper.url.remote(), timeout=120)
    return keeper


@pytest.mark.usefixtures("joined")
@pytest.mark.parametrize(
    ("life_s", "told"),
    [(0, "no judge server is up within 2 s"), (600, "has said yet that it is up within 2 s")],
)
def test_the_wait_for_the_first_server_has_a_bound(life_s: float, told: str) -> None:
    keeper = kept(life_s)
    start = time.monotonic()
    with pytest.raises(EngineError, match=f"{told}; see the logs"):
        judge(engine={"name": NAME, "start_s": 2}).start()
    assert time.monotonic() - start < 30
    ray.kill(keeper)


@pytest.mark.usefixtures("joined")
def test_a_keeper_that_never_answers_has_no_server_that_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servers, "_LIFE_S", 0.5)
    keeper = kept(600)

    async def asked() -> str:
        watch = Watch(servers.Keepers(1))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watch.until_up(), 10)
        watch.close()
        return watch.trouble

    assert asyncio.run(asked()) == "no judge server is up"
    ray.kill(keeper)


def test_what_the_engine_server_has_besides_this_one_has_too() -> None:
    known = {name for name in dir(ServerEngine) if not name.startswith("_")}
    own = {"Options", "abandon"}  # the servers are the launcher's
    assert known - own <= set(dir(PatientEngine({}, Limits())))


def test_without_a_launcher_the_engine_says_who_it_is_for(joined: Path) -> None:
    with pytest.raises(EngineError, match=r"is for the rollout actors of python -m grm_openrlhf"):
        judge().start()
    assert PatientEngine({}, Limits()).model == ""
