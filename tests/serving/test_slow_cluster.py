"""A Ray cluster on a machine that is too slow: told in one line, whatever Ray raises."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from grm_plugin.config import GRMConfig
from grm_plugin.errors import EngineError
from grm_plugin.serving.settings import ServingSettings

pytest.importorskip("ray.serve")

from grm_plugin.serving import cluster, joining

TIMED_OUT = "The current node timed out during startup. This could happen"


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (Exception(TIMED_OUT), TIMED_OUT),  # as ray/_private/node.py does after 30 s
        (KeyError("object_store_memory"), "object_store_memory"),
        (ValueError(), "ValueError"),
    ],
)
def test_whatever_ray_raises_when_it_starts_is_told_in_our_words(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, told: str
) -> None:
    def init(**options: Any) -> None:
        raise raised

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(joining.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(joining.ray, "init", init)
    with pytest.raises(EngineError, match=f"the judge can not be deployed on Ray: .*{told}"):
        joining.join_cluster()


def test_a_node_that_is_too_slow_is_ended_and_started_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nodes: list[subprocess.Popen[bytes]] = []

    def init(**options: Any) -> None:
        nodes.append(subprocess.Popen([sys.executable, "-c", "'ray'; import time; time.sleep(60)"]))
        if len(nodes) < 3:
            raise Exception(TIMED_OUT)

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(joining.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(joining.ray, "init", init)
    joining.join_cluster()
    try:
        assert [node.wait(30) for node in nodes[:2]] == [-signal.SIGKILL] * 2
        assert nodes[2].poll() is None
        assert caplog.text.count("is started again: The current node timed out") == 2
    finally:
        nodes[2].kill()
        nodes[2].wait(30)


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> cluster.RayJudge:
    monkeypatch.setattr(cluster, "join_cluster", lambda: None)
    config = GRMConfig(engine={"name": "server", "url": "http://127.0.0.1:9"}, k=1)
    return cluster.RayJudge(config, 1, ServingSettings(deploy_s=0.1))


async def test_an_application_that_the_controller_has_not_heard_of_yet_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, judge: cluster.RayJudge
) -> None:
    monkeypatch.setattr(cluster.serve, "start", lambda **options: None)
    monkeypatch.setattr(cluster.serve, "run_many", lambda *targets, **options: [None])
    monkeypatch.setattr(cluster.serve, "status", lambda: SimpleNamespace(applications={}))
    with pytest.raises(EngineError, match=r"expected 1 running replicas within 0\.1 s"):
        await judge.start()


async def test_a_controller_that_dies_under_a_deployment_is_told_in_our_words(
    monkeypatch: pytest.MonkeyPatch, judge: cluster.RayJudge
) -> None:
    def start(**options: Any) -> None:
        raise AttributeError("'NoneType' object has no attribute 'remote'")

    monkeypatch.setattr(cluster.serve, "start", start)
    began = time.monotonic()
    with pytest.raises(EngineError, match="can not be deployed on Ray: 'NoneType' object"):
        await judge.start()
    assert time.monotonic() - began < 10
