"""Judge servers in a real Ray cluster of two nodes that believe they have GPUs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import ray
from ray.util import placement_group_table

from grm_openrlhf import servers
from grm_openrlhf.options import Placement
from grm_plugin.errors import EngineError
from tests.adapters.openrlhf.stand_in import (
    lists_models,
    pid,
    serve,
    wait_for_another,
    wait_until,
)

NODES = 2
ONE = Placement(replicas=1, gpus=1)
TWO = Placement(replicas=2, gpus=1)


@pytest.mark.usefixtures("joined")
def test_replicas_have_gpus_and_nodes_of_their_own_and_end_with_the_context() -> None:
    with servers.running(serve(), TWO, None) as urls:
        assert len(set(urls)) == 2
        assert all(map(lists_models, urls))
        (group,) = [one for one in placement_group_table().values() if one["state"] == "CREATED"]
        assert len(set(group["bundles_to_node_id"].values())) == 2
        assert ray.available_resources()["GPU"] == 2
    assert not any(map(lists_models, urls))
    wait_until(lambda: ray.available_resources()["GPU"] == 4, "the GPUs are not given back")


@pytest.mark.usefixtures("joined")
def test_an_actor_of_the_same_job_finds_them() -> None:
    class Rollouts:
        async def find(self) -> tuple[str, ...]:
            return await servers.Keepers(1).urls(60)

    with servers.running(serve(), ONE, None) as urls:
        rollouts = ray.remote(Rollouts).remote()
        assert ray.get(rollouts.find.remote()) == urls


@pytest.mark.usefixtures("joined")
def test_an_actor_that_tells_no_address_is_not_waited_for_for_ever() -> None:
    class Silent:
        async def url(self) -> str:
            await asyncio.sleep(600)
            return ""

    class Rollouts:
        async def find(self) -> tuple[str, ...]:
            return await servers.Keepers(1).urls(0.5)

    silent = ray.remote(Silent).options(name="grm-judge-0", num_cpus=0).remote()
    rollouts = ray.remote(Rollouts).options(num_cpus=0).remote()
    with pytest.raises(EngineError, match=r"'grm-judge-0' has not told .* within 0\.5 s; see its"):
        ray.get(rollouts.find.remote(), timeout=60)
    ray.kill(silent)


@pytest.mark.usefixtures("joined")
def test_a_server_that_dies_is_started_again_at_the_same_address() -> None:
    with servers.running(serve(), ONE, None) as (url,):
        before = pid()
        os.kill(before, signal.SIGKILL)
        wait_for_another(before, url)


@pytest.mark.usefixtures("joined")
def test_a_server_whose_actor_is_killed_comes_back_at_the_same_address() -> None:
    with servers.running(serve(), ONE, None) as (url,):
        before = pid()
        ray.kill(ray.get_actor("grm-judge-0"), no_restart=False)
        wait_for_another(before, url)


@pytest.mark.usefixtures("joined")
def test_a_server_that_never_starts_is_an_error_with_its_last_lines() -> None:
    with (
        pytest.raises(EngineError, match=r"(?s)ended with exit code 3.*no such GPU"),
        servers.running(serve("fail"), ONE, None),
    ):
        pass


@pytest.mark.usefixtures("joined")
def test_a_key_that_is_not_in_the_nodes_environment_is_an_error_that_names_it() -> None:
    with (
        pytest.raises(EngineError, match="NO_SUCH_KEY is not set"),
        servers.running(serve(), ONE, "NO_SUCH_KEY"),
    ):
        pass


@pytest.mark.usefixtures("joined")
def test_too_few_gpus_are_an_error_that_counts_them() -> None:
    with (
        pytest.raises(EngineError, match=r"1 replicas with 5 GPUs each, 4 GPUs and .* were free"),
        servers.running(serve(start_timeout_s=2), Placement(replicas=1, gpus=5), None),
    ):
        pass


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_servers_end_with_a_driver_that_is_killed(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
) -> None:
    monkeypatch.chdir(tmp_path)
    script = f"""
        import ray, time
        from grm_openrlhf import servers
        from grm_openrlhf.options import Placement
        from grm_plugin.remote.launching.launch import ServeOptions
        ray.init({address!r}, log_to_driver=False)
        serve = ServeOptions.model_validate_json({serve().model_dump_json()!r})
        with servers.running(serve, Placement(), None) as (url,):
            print(url, flush=True)
            time.sleep(600)
    """
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        text=True,
    )
    assert driver.stdout is not None
    url = driver.stdout.readline().strip()
    assert lists_models(url)
    driver.send_signal(sent)
    driver.wait(120)
    driver.stdout.close()
    wait_until(lambda: not lists_models(url), "the server outlived the driver")
