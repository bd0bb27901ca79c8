from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.engine import Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import EngineError
from grm_plugin.remote.launching import health, process
from grm_plugin.remote.launching.launch import ServeOptions, ServerProcess
from grm_plugin.remote.secret import Secret

STAND_IN = Path(__file__).with_name("stand_in_server.py")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def serve(behaviour: str, **more: Any) -> dict[str, Any]:
    command = [sys.executable, str(STAND_IN), behaviour]
    return {"model": "judge", "command": command, "log": "server.log", **more}


def engine_for(behaviour: str, **more: Any) -> ServerEngine:
    return ServerEngine({"serve": serve(behaviour, **more)}, Limits())


def told() -> dict[str, Any]:
    """What the stand-in wrote down about itself, once it has."""
    deadline = time.monotonic() + 30
    while not Path("told.json").exists():
        assert time.monotonic() < deadline, "the stand-in never started"
        time.sleep(0.02)
    found: dict[str, Any] = json.loads(Path("told.json").read_text())
    return found


def assert_never_started() -> None:
    assert not Path("told.json").exists()


def assert_gone(pids: list[int], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while any(_lives(pid) for pid in pids):
        assert time.monotonic() < deadline, f"some of {pids} live on"
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_a_server_is_ended_with_its_children_where_no_event_loop_can_do_it() -> None:
    engine = engine_for("answer")
    await engine.start()
    found = told()
    await asyncio.to_thread(engine.abandon)
    assert_gone(found["pids"], within_s=2)
    await engine.close()


async def test_a_server_is_started_used_and_ended_with_its_children() -> None:
    engine = engine_for("answer", gpus=[2, 3], args=["--max-model-len", "512"])
    await engine.start()
    assert engine.model == "judge"
    found = told()
    assert found["env"]["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert found["argv"][0] == "judge"
    assert found["argv"][-2:] == ["--max-model-len", "512"]
    await engine.close()
    await engine.close()
    assert_gone(found["pids"], within_s=1)


@pytest.mark.parametrize(
    ("gpus", "args", "added"),
    [
        ([2], [], []),
        ([2, 3], [], ["--tensor-parallel-size", "2"]),
        ([2, 3], ["--tensor_parallel_size=1"], []),
        ([2, 3], ["-dp", "2"], []),
        ([2, 3], ["--pipeline-parallel-size", "2"], []),
    ],
)
async def test_several_gpus_share_the_weights_unless_something_else_is_said(
    gpus: list[int], args: list[str], added: list[str]
) -> None:
    engine = engine_for("answer", gpus=gpus, args=args)
    await engine.start()
    await engine.close()
    _, _, _, _, _, *rest = told()["argv"]  # the model, where to listen
    assert rest == [*added, *args]


async def test_without_a_log_file_one_is_made_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    engine = engine_for("answer", log=None)
    await engine.start()
    await engine.close()
    assert len(logs_in(tmp_path)) == 1


def logs_in(folder: Path) -> list[Path]:
    return list(folder.glob("grm-judge-*.log"))


async def test_a_server_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.5)
    engine = engine_for("stubborn")
    await engine.start()
    await engine.close()
    assert_gone(told()["pids"], within_s=1)


async def test_a_server_that_dies_is_an_error_with_its_last_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-hush")
    options = {"serve": serve("fail"), "api_key_env": "JUDGE_KEY"}
    with pytest.raises(EngineError, match="ended with exit code 3") as caught:
        await ServerEngine(options, Limits()).start()
    assert "no such GPU" in str(caught.value)
    assert "server.log" in str(caught.value)
    assert "sk-hush" not in str(caught.value)


async def test_a_server_that_is_never_healthy_is_ended_and_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(health, "PROGRESS_S", 0.5)
    caplog.set_level("INFO")
    with pytest.raises(EngineError, match=r"not healthy within 2 s; raise serve\.start_timeout_s"):
        await engine_for("load", start_timeout_s=2).start()
    assert "judge is loading: 1 s" in caplog.text
    assert_gone(told()["pids"], within_s=1)


async def test_a_cancelled_start_leaves_no_server_behind() -> None:
    task = asyncio.create_task(engine_for("load").start())
    found = await asyncio.to_thread(told)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_gone(found["pids"], within_s=1)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, None])
def test_the_server_ends_with_the_process_that_started_it(sent: signal.Signals | None) -> None:
    script = f"""
        import asyncio, time
        from grm_plugin.engine import Limits
        from grm_plugin.engines.server import ServerEngine
        engine = ServerEngine({{"serve": {serve("answer")!r}}}, Limits())
        asyncio.run(engine.start())
        print("up", flush=True)
        {"time.sleep(600)" if sent else "pass"}
    """
    path = os.pathsep.join(sys.path)
    starter = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"up\n"
    found = told()
    if sent:
        starter.send_signal(sent)
    starter.wait(20)
    starter.stdout.close()
    assert_gone(found["pids"])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell a child of no death")
async def test_the_server_ends_also_when_its_guard_is_killed() -> None:
    engine = engine_for("answer")
    await engine.start()
    server = told()["pids"][0]
    os.kill(_parent(server), signal.SIGKILL)
    assert_gone([server])
    await engine.close()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def test_the_trainers_process_group_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_PORT", "TORCHELASTIC_RUN_ID"):
        monkeypatch.setenv(name, "7")
    engine = engine_for("answer", env={"VLLM_LOGGING_LEVEL": "ERROR"})
    await engine.start()
    await engine.close()
    env = told()["env"]
    assert not {"RANK", "WORLD_SIZE", "MASTER_PORT", "TORCHELASTIC_RUN_ID"} & set(env)
    assert env["VLLM_LOGGING_LEVEL"] == "ERROR"


KEYS = ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY", "HF_TOKEN", "VLLM_API_KEY")
NEEDED = ("CUDA_HOME", "NCCL_DEBUG", "VLLM_USE_V1", "HF_HOME", "OMP_NUM_THREADS", "https_proxy")


async def test_a_server_gets_what_servers_read_and_none_of_our_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*KEYS, *NEEDED, "MY_NOTES"):
        monkeypatch.setenv(name, "7")
    engine = engine_for("answer")
    await engine.start()
    await engine.close()
    env = told()["env"]
    assert not {*KEYS, "MY_NOTES"} & set(env)
    assert {*NEEDED, "PATH"} <= set(env)


SECRETS = {
    **dict.fromkeys(("CONDA_AUTH", "HF_ACCESSTOKEN", "XDG_APIKEY", "TRITON_PWD"), "hush"),
    **dict.fromkeys(("MODELSCOPE_SDK_PASSWD", "nccl_credential"), "hush"),
    "LMCACHE_REDIS_URL": "redis://:hush@cache:6379",
    "HF_ENDPOINT": "https://me:hush@mirror",
    "REQUESTS_CA_BUNDLE": "https://me:hush@mirror/ca.pem",
}
HARMLESS = {
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "VLLM_MAX_TOKENS_PER_EXPERT_FP4_MOE": "1024",
    "TORCHINDUCTOR_DISABLED_PASSES": "one",
    "MODELSCOPE_DOMAIN": "https://mirror/a@b",
    "HTTPS_PROXY": "http://me:pw@proxy:3128",
}


async def test_secrets_are_held_back_whatever_family_their_name_begins_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (SECRETS | HARMLESS).items():
        monkeypatch.setenv(name, value)
    engine = engine_for("answer")
    await engine.start()
    await engine.close()
    env = told()["env"]
    assert not set(SECRETS) & set(env)
    assert HARMLESS.items() <= env.items()


async def test_of_a_long_log_only_the_end_is_read_and_once(tmp_path: Path) -> None:
    lines = ServeOptions(
        model="judge",
        log=tmp_path / "server.log",
        command=("/bin/sh", "-c", "yes 'a long line of words' | head -n 3000000; exit 3", "sh"),
    )
    server = ServerProcess(lines, Secret(), "judge")
    with pytest.raises(EngineError, match="ended with exit code 3"):
        await server.start()
    tracemalloc.start()
    said = server.loss()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said.count("a long line of words") == 20
    assert peak < 2_000_000
    (tmp_path / "server.log").unlink()
    assert server.loss() == said
    await server.close()


async def test_a_variable_that_is_named_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "AWS_PROFILE", "AWS_SESSION_TOKEN", "WANDB_API_KEY"):
        monkeypatch.setenv(name, "7")
    engine = engine_for("answer", pass_env=["HF_TOKEN", "AWS_*"], env={"WANDB_MODE": "offline"})
    await engine.start()
    await engine.close()
    env = told()["env"]
    assert {"HF_TOKEN", "AWS_PROFILE", "AWS_SESSION_TOKEN", "WANDB_MODE"} <= set(env)
    assert "WANDB_API_KEY" not in env


async def test_a_server_that_asks_for_what_was_held_back_is_told_with_how_to_hand_it_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf-hush")
    monkeypatch.setenv("MY_STORE_KEY", "hush")
    (tmp_path / "words").write_text("401 for a gated model; MY_STORE_KEY is not set")
    with pytest.raises(EngineError, match=r"HF_TOKEN, MY_STORE_KEY.*see serve\.pass_env") as caught:
        await engine_for("fail").start()
    assert "hush" not in str(caught.value)


async def test_a_key_reaches_the_server_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-hush")
    engine = ServerEngine({"serve": serve("answer"), "api_key_env": "JUDGE_KEY"}, Limits())
    await engine.start()
    await engine.close()
    assert told()["env"]["VLLM_API_KEY"] == "sk-hush"
    assert not any("sk-hush" in argument for argument in told()["argv"])


async def test_a_port_that_is_taken_is_an_error_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=f"port {port} can not be used.*choose another port"):
            await engine_for("answer", port=port).start()
    assert_never_started()


async def test_a_missing_command_is_an_error_that_names_the_extra() -> None:
    with pytest.raises(EngineError, match=r'no command \'vlmm\'.*pip install "grm-plugin\[vllm\]"'):
        await engine_for("answer", command=["vlmm", "serve"]).start()
