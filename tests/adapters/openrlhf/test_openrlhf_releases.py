"""Releases of OpenRLHF as they were published: their own sources, read and run."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grm_openrlhf import command
from grm_openrlhf.host import Host
from grm_openrlhf.plan import AGENT, make_plan
from grm_plugin.errors import ConfigError
from tests.cli.conftest import ROOT
from tests.engines.judge_server import JudgeServer
from tests.serving.conftest import Process, Server
from tests.serving.conftest import command as command_of_server
from tests.serving.honest_judge import honest

# the first and the last of each way to spell options, and where something else changed
WITH_GROUPS = {
    "0.9.1": ("--agent_func_path", ""),  # its data loader spoils labels that are no texts
    "0.9.2": ("--agent_func_path", "--label_key"),
    "0.10.1": ("--agent_func_path", "--label_key"),
    "0.10.2": ("--train.agent_func_path", "--data.label_key"),
    "0.11.1": ("--train.agent_func_path", "--data.label_key"),
}
WITHOUT_GROUPS = ("0.8.0", "0.8.1", "0.8.9", "0.8.11", "0.9.0")
OVER_HTTP = ("0.8.1", "0.8.11", "0.9.0", "0.11.1")
# pure Python, whatever their names say, so they serve every interpreter and processor
AS_A_WHEEL = (
    *("--no-deps", "--only-binary=:all:", "--implementation=cp"),
    *("--python-version=3.11", "--platform=manylinux1_x86_64"),
)
IN_EVERY_PROCESS = ROOT / "recipes/openrlhf_on_cpu/in_every_process"  # their trainers expect a GPU


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one folder for each release, as it would lie in site-packages."""
    folder = tmp_path_factory.mktemp("releases")
    for version in {*WITH_GROUPS, *WITHOUT_GROUPS, *OVER_HTTP}:
        fetch = ["download", "--quiet", "--dest", str(folder), *AS_A_WHEEL, f"openrlhf=={version}"]
        subprocess.run([sys.executable, "-m", "pip", *fetch], check=True)
        (wheel,) = folder.glob(f"openrlhf-{version}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        (folder / f"openrlhf-{version}.data/purelib").rename(folder / version)
    return folder


def host(releases: Path, version: str) -> Host:
    return Host(releases / version / "openrlhf", version)


@pytest.mark.parametrize(("version", "spelled"), WITH_GROUPS.items())
def test_the_agent_and_the_messages_are_handed_over_in_the_releases_own_words(
    releases: Path, version: str, spelled: tuple[str, str]
) -> None:
    agent, label = spelled
    dot = "." if "." in agent else "_"
    words = ["--reward_model", "grm_plugin", "--grm.engine", "reference"]
    ours, rest = command.split([*words, f"--vllm{dot}num_engines", "2"])
    plan = make_plan(ours, rest, host(releases, version))
    more = [label, "input"] if label else []
    assert list(plan.argv) == [*rest, agent, str(AGENT), *more]
    assert plan.settings.label == ("conversation" if label else "ignore")
    assert host(releases, version).ray_environment()["NCCL_DEBUG"]


@pytest.mark.parametrize("version", WITH_GROUPS)
def test_checkpoints_are_named_by_their_step(releases: Path, version: str) -> None:
    release = host(releases, version)
    trainer = (release.root / "trainer/ppo_trainer.py").read_text()
    assert 'tag = f"global_step{global_step}"' in trainer
    assert f'{release.option("checkpoints").removeprefix("--")}, "_actor")' in trainer
    assert release.option("resume") in ("--load_checkpoint", "--ckpt.load_enable")


@pytest.mark.parametrize("version", WITHOUT_GROUPS)
def test_a_release_whose_agents_see_no_groups_is_refused_with_the_ways_out(
    releases: Path, version: str
) -> None:
    over_http = "or run `grm serve --serving extra_logs=false` and name its address in --remote_rm"
    with pytest.raises(ConfigError) as caught:
        host(releases, version).check_agent()
    assert f"openrlhf {version} has no agent" in str(caught.value)
    assert "0.9.1 or newer" in str(caught.value)
    assert (over_http in str(caught.value)) == (version in OVER_HTTP)


@pytest.mark.parametrize("version", WITH_GROUPS)
def test_the_releases_own_executor_gets_rewards_of_whole_groups(
    releases: Path, version: str
) -> None:
    better, worse = run_in(releases / version, "rollout_of_release")
    assert 0 <= worse < better <= 1


@pytest.mark.parametrize("version", OVER_HTTP)
async def test_the_releases_own_client_gets_rewards_of_the_reward_server(
    releases: Path, version: str
) -> None:
    logs = not version.startswith("0.8.")
    serving = ["--serving", "group_size=2", "--serving", f"extra_logs={logs}"]
    with JudgeServer(otherwise=honest).running() as judge:
        process = Process(command_of_server(judge.url, *serving), {})
        server = Server(process)
        try:
            await server.until("ready")
            url = f"{server.url}/get_reward"
            rewards = await asyncio.to_thread(run_in, releases / version, "rewards_over_http", url)
        finally:
            await server.session.close()
            process.end()
    assert rewards == [1.0, 0.0, 1.0, 0.0]


def run_in(release: Path, script: str, *words: str) -> list[float]:
    """What a script of this folder answers with a release of OpenRLHF."""
    path = [str(ROOT), str(ROOT / "adapters"), str(release), str(IN_EVERY_PROCESS)]
    done = subprocess.run(
        [sys.executable, "-m", f"tests.adapters.openrlhf.{script}", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "DS_ACCELERATOR": "cpu"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["openrlhf"] == str(release / "openrlhf")
    return list(found["answer"])
