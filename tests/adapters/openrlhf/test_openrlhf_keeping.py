"""A kept server is a real process here, and it really dies."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from grm_openrlhf import keeping
from grm_openrlhf.keeping import KeptServer
from grm_plugin.errors import EngineError
from grm_plugin.remote.launching.launch import ServerProcess
from grm_plugin.remote.launching.ports import free_port
from grm_plugin.remote.secret import Secret
from tests.adapters.openrlhf.stand_in import (
    lists_models,
    pid,
    serve,
    wait_for_another,
    wait_until,
)

Keep = Callable[..., KeptServer]


@pytest.fixture(autouse=True)
def _impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keeping, "_POLL_S", 0.05)
    monkeypatch.setattr(keeping, "_PAUSES_S", (0.05,))


@pytest.fixture
async def keep() -> AsyncIterator[Keep]:
    kept: list[KeptServer] = []

    def made(behaviour: str, port: int | None = None) -> KeptServer:
        options = serve(behaviour, port=port or free_port())
        kept.append(KeptServer(ServerProcess(options, Secret(), "judge server")))
        return kept[-1]

    yield made
    for server in kept:
        await server.stop()


def kill() -> int:
    killed = pid()
    os.kill(killed, signal.SIGKILL)
    return killed


async def test_a_server_that_is_killed_comes_back_at_its_address_each_time(keep: Keep) -> None:
    url = await keep("answer").start()
    for _ in range(2):
        await asyncio.to_thread(wait_for_another, kill(), url)


async def test_a_server_has_a_name_for_as_long_as_it_lives_and_none_while_it_is_away(
    keep: Keep,
) -> None:
    server = keep("answer")
    assert await server.life() == ""
    url = await server.start()
    first = await server.life()
    assert first == await server.life() != ""
    killed = kill()
    assert await server.life() == ""
    await asyncio.to_thread(wait_for_another, killed, url)
    assert await server.life() not in ("", first)


async def test_a_server_that_no_longer_answers_is_started_again(
    keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "_SICK_POLLS", 3)
    url, sick = await keep("answer").start(), tmp_path / "sick"
    before = pid()
    sick.touch()
    await asyncio.to_thread(wait_until, lambda: pid() != before, "no new server")
    sick.unlink()
    await asyncio.to_thread(wait_until, lambda: lists_models(url), "it does not answer")
    assert "failed 3 health checks in a row; it is started again" in caplog.text


async def test_a_server_that_does_not_come_back_is_tried_again(
    keep: Keep, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, fail = await keep("answer").start(), tmp_path / "fail"
    fail.touch()
    kill()

    def twice() -> bool:
        return caplog.text.count("ended with exit code 3") >= 2

    await asyncio.to_thread(wait_until, twice, "it was not tried twice")
    fail.unlink()
    await asyncio.to_thread(wait_until, lambda: lists_models(url), "it does not answer")


async def test_a_restart_ends_with_the_last_error_when_its_time_is_over(keep: Keep) -> None:
    with pytest.raises(EngineError, match=r"not healthy again after \d+ tries in 0\.3 s, the last"):
        async with asyncio.timeout(30):
            await keep("fail").restart(0.3)


async def test_an_error_of_the_machine_does_not_end_the_keeper(
    keep: Keep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = keep("answer")
    url, start, faults = await server.start(), server._process.start, [OSError("no memory")] * 2

    async def meeting_faults() -> str:
        if faults:
            raise faults.pop()
        return await start()

    monkeypatch.setattr(server._process, "start", meeting_faults)
    await asyncio.to_thread(wait_for_another, kill(), url)
    assert caplog.text.count("no memory") == 2


async def test_a_stopped_server_stays_away(keep: Keep) -> None:
    server = keep("answer")
    url = await server.start()
    await server.stop()
    await asyncio.sleep(0.3)  # several polls of the keeper, had it lived on
    assert not lists_models(url)


async def test_a_server_that_never_started_is_not_tried_again(keep: Keep) -> None:
    with pytest.raises(EngineError, match="ended with exit code 3"):
        await keep("fail").start()


async def test_a_restart_waits_until_the_last_server_has_left_the_port(
    keep: Keep, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as last:
        port = last.getsockname()[1]
        restarting = asyncio.create_task(keep("answer", port).restart(60))
        await asyncio.to_thread(wait_until, lambda: "can not be used" in caplog.text, "no try")
    assert await restarting == f"http://127.0.0.1:{port}"
