"""The launcher as a process with a real Ray; only the trainer is a stand-in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from grm_openrlhf.train_ppo_ray import told_one_by_one
from tests.adapters.openrlhf import stand_in
from tests.adapters.openrlhf.sources import (
    TRAIN_AND_COUNT,
    TRAIN_IN_RAY,
    TRAIN_WITHOUT_REWARDS,
    write_release,
)

JUDGE = ["--reward_model", "grm_plugin", "--grm.engine", "reference", "--grm.k", "4"]
HOST = ["--vllm.num_engines", "1", "--run_name", "try"]
LAUNCHER = [sys.executable, "-m", "grm_openrlhf.train_ppo_ray"]


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with stand_in.cluster(nodes=2, include_dashboard=True) as found:
        yield found


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One in which ``openrlhf`` is a stand-in whose trainer asks an actor what it was told."""
    monkeypatch.chdir(tmp_path)
    write_release(tmp_path / "openrlhf", train=TRAIN_IN_RAY)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NCCL")}
    return {**kept, "PYTHONPATH": path, "RAY_USAGE_STATS_ENABLED": "0"}


def told(output: str, *, nodes: int = 1) -> dict[str, Any]:
    """What the actors know, one on each node: the same on all of them."""
    found = re.search(r"TOLD (\{.*\})", output)
    assert found, output[-3000:]
    said = json.loads(found[1])
    assert len(said["actors"]) == nodes
    assert all(one == said["actors"][0] for one in said["actors"])
    return {"run_name": said["run_name"], **said["actors"][0]}


def launch(
    words: list[str], environment: dict[str, str], **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        env={**environment, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )


def test_alone_it_starts_ray_and_actors_know_the_judge(environment: dict[str, str]) -> None:
    done = launch([*LAUNCHER, *JUDGE, *HOST], environment, RAY_ADDRESS="local")
    found = told(done.stdout)
    assert found["config"] == {"engine": {"name": "reference"}, "k": 4}
    assert found["nccl"] == "WARN"
    assert found["run_name"] == "try"
    assert done.returncode == 0


def test_on_a_running_cluster_the_actors_of_every_node_know_the_judge(
    environment: dict[str, str], running: Cluster
) -> None:
    done = launch([*LAUNCHER, *JUDGE, *HOST], environment, RAY_ADDRESS=running.address)
    assert told(done.stdout, nodes=2)["config"]["k"] == 4


def test_as_a_submitted_job_the_jobs_own_variables_win(
    environment: dict[str, str], running: Cluster
) -> None:
    job = {"env_vars": {"NCCL_DEBUG": "INFO", "PYTHONPATH": environment["PYTHONPATH"]}}
    ray_command = str(Path(sys.executable).with_name("ray"))
    submit = [ray_command, "job", "submit", "--runtime-env-json", json.dumps(job), "--"]
    dashboard = f"http://{running.head_node.webui_url}"
    for _ in range(60):
        done = launch([*submit, *LAUNCHER, *JUDGE, *HOST], environment, RAY_ADDRESS=dashboard)
        if "No available agent" not in done.stdout:  # a cluster this young may have none yet
            break
        time.sleep(1)
    found = told(done.stdout, nodes=2)
    assert (found["config"]["k"], found["nccl"]) == (4, "INFO")


def test_servers_of_the_launcher_reach_the_actors(
    environment: dict[str, str], running: Cluster, tmp_path: Path
) -> None:
    config = {"engine": {"serve": stand_in.serve().model_dump(mode="json")}}
    (tmp_path / "grm.yaml").write_text(json.dumps(config))
    words = ["--reward_model", "grm_plugin", "--grm_config", str(tmp_path / "grm.yaml")]
    done = launch([*LAUNCHER, *words, *HOST], environment, RAY_ADDRESS=running.address)
    (url,) = told(done.stdout, nodes=2)["urls"]
    assert url.startswith("http://")
    assert not stand_in.lists_models(url)
    assert "stand_in_server" not in json.dumps(told(done.stdout, nodes=2)["config"])


def test_what_is_wrong_is_said_before_ray_starts(environment: dict[str, str]) -> None:
    done = launch([*LAUNCHER, *JUDGE, "--vllm.num_engines", "0"], environment, RAY_ADDRESS="local")
    assert done.returncode == 1
    assert done.stdout.startswith("error: --vllm.num_engines: expected 1 or more")


def test_an_option_that_nobody_knows_is_refused_in_the_hosts_words(
    environment: dict[str, str],
) -> None:
    done = launch([*LAUNCHER, *JUDGE, *HOST, "--no_such", "1"], environment)
    assert done.returncode == 2
    assert "unrecognized arguments: --no_such 1" in done.stdout


def test_help_shows_the_hosts_options_and_ours(environment: dict[str, str]) -> None:
    done = launch([*LAUNCHER, "--help"], environment)
    assert done.returncode == 0
    for option in ("--vllm.num_engines", "--reward_model", "--grm_config", "--grm.KEY"):
        assert option in done.stdout


def test_without_ours_it_is_the_hosts_own_command(environment: dict[str, str]) -> None:
    done = launch([*LAUNCHER, *HOST], environment, RAY_ADDRESS="local")
    assert told(done.stdout)["config"] is None


def test_every_reason_of_a_group_without_a_reward_is_shown_whichever_actor_says_it(
    environment: dict[str, str], running: Cluster, tmp_path: Path
) -> None:
    write_release(tmp_path / "openrlhf", train=TRAIN_WITHOUT_REWARDS)
    done = launch([*LAUNCHER, *JUDGE, *HOST], environment, RAY_ADDRESS=running.address)
    told = re.findall(r"group (\d) has no reward: status 50(\d) of judge\d$", done.stdout, re.M)
    assert len(re.findall(r"something else number \d$", done.stdout, re.M)) < 9  # unlike these
    assert sorted(told) == [(str(group), str(actor)) for group in range(3) for actor in range(3)]


def test_what_ray_was_told_to_show_before_is_still_shown() -> None:
    environment = {"RAY_DEDUP_LOGS_ALLOW_REGEX": "mine|yours"}
    told_one_by_one(environment)
    shown = environment["RAY_DEDUP_LOGS_ALLOW_REGEX"]
    assert [bool(re.search(shown, one)) for one in ("yours", "g has no reward: x", "z")] == [
        *(True, True, False)
    ]


@pytest.fixture
def counting(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """One whose trainer has two actors that judge three groups each, one of them with a reward."""
    write_release(tmp_path / "openrlhf", train=TRAIN_AND_COUNT)
    return environment


def test_the_end_of_a_run_says_loudly_that_many_groups_had_no_reward(
    counting: dict[str, str], running: Cluster
) -> None:
    done = launch([*LAUNCHER, *JUDGE, *HOST], counting, RAY_ADDRESS=running.address)
    assert "ERROR: 4 of 6 groups had no reward (66.7%)." in done.stdout
    assert "learned from the other 2 alone" in done.stdout
    assert done.returncode == 0


def test_a_run_whose_groups_all_had_a_reward_says_so_in_one_line_and_all_learn_of_them(
    counting: dict[str, str], running: Cluster
) -> None:
    words = [*HOST[:-1], "all"]
    done = launch([*LAUNCHER, *JUDGE, *words], counting, RAY_ADDRESS=running.address)
    assert "grm-plugin: 0 of 6 groups had no reward (0.0%)\n" in done.stdout
    assert "ERROR" not in done.stdout
    heard = re.search(r"HEARD (.*)", done.stdout)
    assert heard and json.loads(heard[1]) == [{"actor-0": 3, "actor-1": 3}] * 2


@pytest.mark.parametrize(("limit", "status"), [("0.5", 1), ("0.7", 0)])
def test_more_unscored_groups_than_allowed_make_the_run_a_failure(
    counting: dict[str, str], running: Cluster, limit: str, status: int
) -> None:
    words = [*JUDGE, "--grm.adapters.openrlhf.unscored_limit", limit]
    done = launch([*LAUNCHER, *words, *HOST], counting, RAY_ADDRESS=running.address)
    assert done.returncode == status
    assert ("more than the 50.0% of adapters.openrlhf.unscored_limit" in done.stdout) == status


def test_a_trainer_that_fails_keeps_its_own_message_and_is_counted_all_the_same(
    counting: dict[str, str], running: Cluster
) -> None:
    words = [*HOST[:-1], "fails"]
    done = launch([*LAUNCHER, *JUDGE, *words], counting, RAY_ADDRESS=running.address)
    assert done.returncode == 1
    assert "4 of 6 groups had no reward" in done.stdout
    assert done.stdout.rstrip().endswith("RuntimeError: the trainer's own fault")
