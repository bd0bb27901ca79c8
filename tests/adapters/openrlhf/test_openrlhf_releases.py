"""Releases of OpenRLHF as they were published: their own sources, read and run."""

from __future__ import annotations

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

# the first and the last of each way to spell options, and where something else changed
WITH_GROUPS = {
    "0.9.1": ("--agent_func_path", ""),  # its data loader spoils labels that are no texts
    "0.9.2": ("--agent_func_path", "--label_key"),
    "0.10.1": ("--agent_func_path", "--label_key"),
    "0.10.2": ("--train.agent_func_path", "--data.label_key"),
    "0.11.1": ("--train.agent_func_path", "--data.label_key"),
}
WITHOUT_GROUPS = ("0.8.0", "0.8.11", "0.9.0")


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one folder for each release, as it would lie in site-packages."""
    folder = tmp_path_factory.mktemp("releases")
    for version in (*WITH_GROUPS, *WITHOUT_GROUPS):
        fetch = ["download", "--quiet", "--no-deps", "--dest", str(folder), f"openrlhf=={version}"]
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


@pytest.mark.parametrize("version", WITHOUT_GROUPS)
def test_a_release_whose_agents_see_no_groups_is_refused_with_both_ways_out(
    releases: Path, version: str
) -> None:
    told = rf"openrlhf {version} has no agent .* 0\.9\.1 or newer, or run `grm serve` .*--remote_rm"
    with pytest.raises(ConfigError, match=told):
        host(releases, version).check_agent()


@pytest.mark.parametrize("version", WITH_GROUPS)
def test_the_releases_own_executor_gets_rewards_of_whole_groups(
    releases: Path, version: str
) -> None:
    path = os.pathsep.join([str(ROOT), str(releases / version)])
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapters.openrlhf.rollout_of_release"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["openrlhf"] == str(releases / version / "openrlhf")
    better, worse = found["rewards"]
    assert 0 <= worse < better <= 1
