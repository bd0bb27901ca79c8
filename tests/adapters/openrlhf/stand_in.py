"""Ray clusters for tests, and real processes that stand in for ``vllm serve``."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from grm_plugin.remote.launching.launch import ServeOptions
from grm_plugin.remote.launching.ports import free_port

_SCRIPT = Path(__file__).parents[2] / "engines/stand_in_server.py"


def command(behaviour: str = "answer") -> tuple[str, ...]:
    """What is run in place of ``vllm serve``."""
    return sys.executable, str(_SCRIPT), behaviour


def serve(behaviour: str = "answer", **more: Any) -> ServeOptions:
    """A server that writes down in this folder what it is, wherever Ray starts it."""
    env = {"STAND_IN_FOLDER": str(Path.cwd())}
    return ServeOptions(model="judge", command=command(behaviour), env=env, **more)


@contextmanager
def cluster(*, nodes: int = 1, **node: Any) -> Iterator[Cluster]:
    """A Ray cluster whose workers import what this process can import."""
    node = {"num_cpus": 4, "num_gpus": 2, "object_store_memory": 80_000_000, **node}
    # another cluster may have the usual ones
    ports = {"dashboard_port": free_port(), "dashboard_agent_listen_port": free_port()}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        made = Cluster(initialize_head=True, head_node_args={**node, **ports})
        for _ in range(nodes - 1):
            made.add_node(**{**node, "include_dashboard": False})
        made.wait_for_nodes()
    yield made
    made.shutdown()


def pid() -> int:
    """Of the server that started last in this folder."""
    return int(json.loads(Path("told.json").read_text())["pids"][0])


def lists_models(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/v1/models", timeout=5) as answer:
            return bool(json.load(answer) == {"data": [{"id": "judge"}]})
    except (OSError, HTTPException, ValueError):  # the last two: it was killed while it answered
        return False


def wait_until(holds: Callable[[], bool], what: str, within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def wait_for_another(before: int, url: str) -> None:
    """Wait until another server process than ``before`` answers at ``url``."""
    wait_until(lambda: pid() != before, "no new server")
    wait_until(lambda: lists_models(url), "the new server does not answer")
