"""One server for all processes of a machine, with real processes and a stand-in for vLLM."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.engine import Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import EngineError, TransportError
from grm_plugin.remote.launching import sharing
from grm_plugin.remote.launching.launch import ServeOptions
from grm_plugin.remote.launching.sharing import Place, _name
from tests.engines.requests_to_judge import request_for

HERE = Path(__file__).parent
STAND_IN = HERE / "stand_in_server.py"
WORKER = HERE / "sharing_worker.py"

Start = Callable[..., subprocess.Popen[str]]


def options(behaviour: str = "serve") -> dict[str, Any]:
    command = [sys.executable, str(STAND_IN), behaviour]
    told = {"pass_env": ["STAND_IN_FOLDER"], "start_timeout_s": 30}
    return {"model": "judge", "shared": True, "command": command, **told}


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("STAND_IN_FOLDER", str(tmp_path))
    return tmp_path


@pytest.fixture
def start() -> Iterator[Start]:
    begun: list[subprocess.Popen[str]] = []

    def one(behaviour: str = "serve") -> subprocess.Popen[str]:
        argv = [sys.executable, str(WORKER), json.dumps(options(behaviour))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # ours, as it is here
        begun.append(subprocess.Popen(argv, env=env, **pipes))
        return begun[-1]

    yield one
    for process in begun:
        process.kill()
        process.wait()


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def ask(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write("sample\n")
    process.stdin.flush()
    return said(process)


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + 15
    while Path(f"/proc/{pid}/status").exists() and time.monotonic() < deadline:
        if "zombie" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def servers(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "starts").read_text().split()]


def test_processes_that_start_together_share_one_server(start: Start, runtime: Path) -> None:
    workers = [start() for _ in range(4)]
    found = [said(worker) for worker in workers]
    assert len({one["url"] for one in found}) == 1
    assert sum(one["pid"] > 0 for one in found) == 1
    assert len(servers(runtime)) == 1


def test_a_server_ends_with_its_starter_and_the_others_are_told_so(
    start: Start, runtime: Path
) -> None:
    starter = start()
    assert said(starter)["pid"]
    other = start()
    assert not said(other)["pid"]
    starter.send_signal(signal.SIGKILL)
    (server,) = servers(runtime)
    until_gone(server)
    for _ in range(2):
        error = ask(other)["error"]
        assert f"ended with process {starter.pid}, which had started it" in error
        assert "run a server of its own with `vllm serve` and name it with url" in error


def test_who_comes_after_the_starters_death_starts_a_new_one(start: Start, runtime: Path) -> None:
    first = start()
    url = said(first)["url"]
    first.kill()
    first.wait()
    (file,) = (runtime / f"grm-plugin-{os.getuid()}").glob("judge-*.json")
    assert json.loads(file.read_text())["url"] == url  # nobody was there to remove it
    found = said(start())
    assert found["pid"]
    assert len(servers(runtime)) == 2


def test_processes_that_start_together_after_a_killed_run_wait_as_long_as_it_loads(
    start: Start, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SILENCE_S", "0.2")
    killed = start()
    assert said(killed)["url"]
    killed.kill()
    killed.wait()
    (runtime / "sick").touch()
    workers = [start() for _ in range(4)]
    _until(lambda: len(servers(runtime)) == 2)
    time.sleep(2)  # it loads
    (runtime / "sick").unlink()
    found = [said(worker) for worker in workers]
    assert len({one["url"] for one in found}) == 1
    assert len(servers(runtime)) == 2


async def test_what_a_process_that_is_gone_left_shortens_no_wait(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_SILENCE_S", 0.2)
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    place = _place(runtime)
    place.write({"url": "http://127.0.0.1:9", "pid": gone.pid, "key": ""})
    assert place.take()  # by a starter that has told nothing yet
    engine = ServerEngine({"serve": options()}, Limits(tries=1))
    starting = asyncio.create_task(engine.start())
    await asyncio.sleep(1)
    assert not starting.done()
    place.leave()
    await starting
    await engine.close()


async def test_a_server_that_is_closed_leaves_no_address(runtime: Path) -> None:
    engine = ServerEngine({"serve": options()}, Limits(tries=1))
    await engine.start()
    assert _place(runtime).read()["url"]
    await engine.close()
    assert _place(runtime).read() == {}


def test_a_child_that_inherits_the_lock_does_not_keep_it(runtime: Path) -> None:
    place = _place(runtime)
    assert place.take()
    child = os.fork()
    if not child:
        time.sleep(30)
        os._exit(0)
    try:
        place.leave()
        assert place.take()
        place.leave()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_who_shares_a_server_can_be_named() -> None:
    names = [_name(ServeOptions(**{**options(), "shared": who})) for who in (True, "a", "b", "a")]
    assert len(set(names)) == 3
    assert names[1] == names[3]


def _place(runtime: Path) -> Place:
    folder = runtime / f"grm-plugin-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return Place(folder / _name(ServeOptions(**options())))


def test_when_the_starter_dies_while_loading_one_that_waits_takes_over(
    start: Start, runtime: Path
) -> None:
    (runtime / "sick").touch()
    first = start()
    _until(lambda: (runtime / "starts").exists())
    second, third = start(), start()
    first.kill()
    _until(lambda: len(servers(runtime)) == 2)
    (runtime / "sick").unlink()
    found = [said(second), said(third)]
    assert found[0]["url"] == found[1]["url"]
    assert sum(one["pid"] > 0 for one in found) == 1


def test_a_start_that_fails_fails_for_all_who_wait_for_it(start: Start, runtime: Path) -> None:
    (runtime / "sick").touch()
    first = start("crash")
    _until(lambda: (runtime / "starts").exists())
    others = [start("crash"), start("crash")]
    _until(lambda: len(list(runtime.glob("began-*"))) == 3)
    time.sleep(1)  # they wait by now
    (runtime / "fail").touch()
    errors = [said(one)["error"] for one in (first, *others)]
    assert all("ended with exit code 3" in error for error in errors)
    assert sum("tried by another process" in error for error in errors) == 2
    assert len(servers(runtime)) == 1


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def test_two_judges_of_one_process_share_it_too_and_closing_ends_it(runtime: Path) -> None:
    first, second = (ServerEngine({"serve": options()}, Limits(tries=1)) for _ in range(2))
    await first.start()
    await second.start()
    (server,) = servers(runtime)
    await second.close()
    os.kill(server, 0)  # it is there
    await first.close()
    until_gone(server)
    await second.start()  # a server of its own now
    assert len(servers(runtime)) == 2
    await second.close()
    await second.close()


async def test_the_server_asks_for_a_key_that_only_this_user_can_read(runtime: Path) -> None:
    engine = ServerEngine({"serve": options()}, Limits())
    await engine.start()
    try:
        key = json.loads((runtime / "told.json").read_text())["env"]["VLLM_API_KEY"]
        (file,) = (runtime / f"grm-plugin-{os.getuid()}").glob("judge-*.json")
        assert key and json.loads(file.read_text())["key"] == key
        assert file.stat().st_mode & 0o077 == 0
        assert file.parent.stat().st_mode & 0o077 == 0
    finally:
        await engine.close()


async def test_a_folder_that_others_can_write_is_refused(runtime: Path) -> None:
    folder = runtime / f"grm-plugin-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(EngineError, match="to be a folder of this user alone"):
        await ServerEngine({"serve": options()}, Limits()).start()


async def test_a_wait_for_another_process_is_bounded(runtime: Path) -> None:
    engine = ServerEngine({"serve": {**options(), "start_timeout_s": 0.3}}, Limits())
    place = _place(runtime)
    assert place.take()
    try:
        with pytest.raises(EngineError, match=r"another process starts.*not healthy within 0\.3 s"):
            await engine.start()
    finally:
        place.leave()


async def test_a_server_that_was_healthy_and_is_silent_is_not_waited_for_long(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_SILENCE_S", 0.3)
    first, second = (ServerEngine({"serve": options()}, Limits(tries=1)) for _ in range(2))
    await first.start()
    (runtime / "sick").touch()
    with pytest.raises(EngineError, match=r"or silent for 0\.3 s; end the process that holds"):
        await second.start()
    await first.close()


async def test_a_server_that_died_alone_is_not_blamed_on_its_starter(runtime: Path) -> None:
    first, second = (
        ServerEngine({"serve": options()}, Limits(tries=1, request_timeout_s=2)) for _ in range(2)
    )
    await first.start()
    await second.start()
    os.kill(servers(runtime)[0], signal.SIGKILL)
    until_gone(servers(runtime)[0])
    with pytest.raises(TransportError) as caught:
        await second.sample(request_for())
    assert "which had started it" not in str(caught.value)
    await second.close()
    await first.close()


async def test_a_judge_that_is_abandoned_leaves_its_server_to_the_next_of_this_process(
    runtime: Path,
) -> None:
    first, second = (ServerEngine({"serve": options()}, Limits(tries=1)) for _ in range(2))
    await first.start()
    first.abandon()
    await first.close()
    await second.start()
    (server,) = servers(runtime)
    os.kill(server, 0)  # it is there
    await second.close()
    for process in sharing._left:
        await process.close()
    sharing._left.clear()
