"""The launcher with real processes: whatever happens, nothing is left running."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from grm_plugin.remote.launching.ports import free_port

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "tests/engines/stand_in_server.py"
TRAINING = Path(__file__).with_name("stand_in_training.py")


@pytest.fixture(autouse=True)
def _recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    Path("url").write_text(url)
    judge = {"engine": {"name": "server", "url": url, "model": "judge"}}
    Path("judge.yaml").write_text(yaml.safe_dump(judge))
    Path("recipe.yaml").write_text(yaml.safe_dump({"env": {"GRM_CONFIG": "judge.yaml"}}))


def launched(server: str, training: str, *more: str) -> subprocess.Popen[str]:
    serve, train = f"{sys.executable} {SERVER} {server}", f"{sys.executable} {TRAINING} {training}"
    command = [sys.executable, str(ROOT / "recipes/launch.py"), "recipe.yaml"]
    options = ["--judge-gpus", "2,3", "--serve-command", serve, "--train-command", train]
    env = os.environ | {"PYTHONPATH": str(ROOT), "HF_TOKEN": "hf-hush"}
    return subprocess.Popen([*command, *options, *more], env=env, stderr=subprocess.PIPE, text=True)


def read(name: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while not Path(name).exists():
        assert time.monotonic() < deadline, f"{name} was never written"
        time.sleep(0.02)
    found: dict[str, Any] = json.loads(Path(name).read_text())
    return found


def assert_nothing_lives(*names: str) -> None:
    pids = [pid for name in names for pid in read(name)["pids"]]
    deadline = time.monotonic() + 5
    while any(_lives(pid) for pid in pids):
        assert time.monotonic() < deadline, f"some of {pids} live on"
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_training_starts_when_the_judge_is_healthy_and_both_are_gone_afterwards() -> None:
    run = launched("answer", "succeed", "--train-gpus", "0,1", "--", "--max_steps", "2")
    assert run.wait(30) == 0
    found = read("training.json")
    assert found["healthy"]
    assert found["gpus"] == "0,1"
    assert found["argv"] == ["--config", "recipe.yaml", "--max_steps", "2", "--num_processes", "2"]
    server = read("told.json")
    assert server["env"]["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert server["argv"][-2:] == ["--tensor-parallel-size", "2"]
    assert_nothing_lives("training.json", "told.json")


def test_the_meta_rm_has_a_server_with_options_of_its_own() -> None:
    classifier = {"name": "server", "url": f"http://127.0.0.1:{free_port()}", "model": "meta"}
    judge = yaml.safe_load(Path("judge.yaml").read_text())
    judge["select"] = {"name": "meta_rm", "classifier": classifier}
    Path("judge.yaml").write_text(yaml.safe_dump(judge))
    options = ("--meta-gpus", "4", "--meta-options", "--max-model-len 4096 --name 'a b'")
    run = launched("answer", "succeed", "--judge-options", "--seed 1", *options)
    assert run.wait(30) == 0
    served = {line.split()[0]: line for line in Path("served").read_text().splitlines()}
    assert served["judge"].endswith("--tensor-parallel-size 2 --seed 1")
    assert served["meta"].endswith(
        "--runner pooling --convert classify --max-model-len 4096 --name a b"
    )


def test_the_scalar_rm_has_a_server_with_options_of_its_own() -> None:
    classifier = {"name": "server", "url": f"http://127.0.0.1:{free_port()}", "model": "scalar"}
    judge = yaml.safe_load(Path("judge.yaml").read_text())
    judge["scalar"] = {"use": "cascade", "classifier": classifier}
    Path("judge.yaml").write_text(yaml.safe_dump(judge))
    options = ("--scalar-gpus", "5", "--scalar-options", "--max-model-len 8192")
    assert launched("answer", "succeed", *options).wait(30) == 0
    served = {line.split()[0]: line for line in Path("served").read_text().splitlines()}
    assert served["scalar"].endswith("--runner pooling --convert classify --max-model-len 8192")


def test_the_scalar_rm_is_refreshed_beside_the_training_and_ends_with_it() -> None:
    from grm_plugin.running.file_lock import lock
    from tests.spct.scalar_data import save_scalar_rm

    save_scalar_rm(Path("base"))
    judge = yaml.safe_load(Path("judge.yaml").read_text())
    classifier = {"name": "transformers", "model": "made/current", "reload": True}
    judge |= {"record": "v.jsonl", "scalar": {"use": "cascade", "classifier": classifier}}
    Path("judge.yaml").write_text(yaml.safe_dump(judge))
    run = launched("answer", "succeed", "--refresh-base", "base", "--refresh-options", "--every 9")
    assert run.wait(200) == 0
    assert read("training.json")["healthy"]
    assert Path("made/current").resolve().name == "version-0000"
    assert json.loads(Path("made/settings.json").read_text())["every"] == 9
    with Path("made/.lock").open("ab") as file:
        lock(file)  # nobody has it


def test_a_refresh_that_can_not_begin_is_told_and_nothing_is_trained() -> None:
    run = launched("answer", "succeed", "--refresh-base", "nowhere")
    assert run.wait(60) == 2 and "a refresh needs record, and scalar:" in run.stderr.read()
    assert not Path("training.json").exists()


def test_gated_weights_are_served_with_the_token_that_is_named() -> None:
    run = launched("answer", "succeed", "--pass-env", "HF_TOKEN")
    assert run.wait(30) == 0
    assert read("told.json")["env"]["HF_TOKEN"] == "hf-hush"


@pytest.mark.parametrize(
    ("server", "options", "telling"),
    [
        ("fail", (), "HF_TOKEN was not handed to it: see --pass-env"),
        ("load", ("--start-timeout-s", "1"), "not healthy within 1 s; raise --start-timeout-s"),
    ],
)
def test_what_a_server_lacks_is_told_by_the_launchers_own_options(
    server: str, options: tuple[str, ...], telling: str
) -> None:
    Path("words").write_text("401: the weights are gated")
    run = launched(server, "succeed", *options)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 2
    assert telling in said
    assert "hf-hush" not in said


def test_training_ends_with_a_launcher_that_is_killed() -> None:
    run = launched("answer", "train")
    read("training.json")
    run.kill()
    run.wait(30)
    assert_nothing_lives("training.json", "told.json")


def test_a_training_command_that_is_missing_is_told_before_anything_starts() -> None:
    run = launched("answer", "succeed", "--train-command", "tlr grpo")
    _, said = run.communicate(timeout=30)
    assert run.returncode == 2
    assert "no command 'tlr grpo' on this machine" in said
    assert not Path("told.json").exists()


def test_the_exit_code_of_a_failing_training_is_passed_on() -> None:
    assert launched("answer", "fail").wait(30) == 3
    assert_nothing_lives("training.json", "told.json")


def test_a_server_that_dies_at_its_start_is_told_and_no_training_starts() -> None:
    run = launched("fail", "succeed")
    _, said = run.communicate(timeout=30)
    assert run.returncode == 2
    assert "judge: the server for 'judge' ended with exit code 3" in said
    assert "no such GPU" in said
    assert not Path("training.json").exists()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_training_and_the_server_with_their_children(signum: int) -> None:
    run = launched("answer", "train")
    read("training.json")
    run.send_signal(signum)
    assert run.wait(30) == 130
    assert_nothing_lives("training.json", "told.json")


def test_an_interrupt_while_the_server_loads_ends_it() -> None:
    run = launched("load", "train")
    read("told.json")
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == 130
    assert not Path("training.json").exists()
    assert_nothing_lives("told.json")


@pytest.mark.parametrize(
    ("recipe", "options", "telling"),
    [
        ("{max_steps: 2}", (), "expected env: {GRM_CONFIG: a file}"),
        ("{env: {GRM_CONFIG: nowhere.yaml}}", (), "nowhere.yaml can not be read"),
        ("{env: {GRM_CONFIG: judge.yaml}}", ("--meta-gpus", "4"), "meta RM: it has GPUs, but"),
        ("{env: {GRM_CONFIG: judge.yaml}}", ("--scalar-gpus", "4"), "scalar RM: it has GPUs, but"),
    ],
)
def test_wrong_settings_are_told_before_anything_starts(
    recipe: str, options: tuple[str, ...], telling: str
) -> None:
    Path("recipe.yaml").write_text(recipe)
    run = launched("answer", "succeed", *options)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 2
    assert telling in said
    assert not Path("told.json").exists()
