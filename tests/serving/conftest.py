"""``grm serve`` in a process of its own, asked over real HTTP; judges that can be killed."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import aiohttp
import pytest

from tests.cli.conftest import ROOT, RUN
from tests.engines.judge_server import JudgeServer
from tests.serving.honest_judge import honest

PATIENCE_S = 90


class Process:
    """A child whose lines can be waited for; it gets no ``GRM_CONFIG`` from outside."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._ended = False
        self._more = threading.Condition()
        inherited = os.environ.get("PYTHONPATH", "")
        kept = {name: value for name, value in os.environ.items() if name != "GRM_CONFIG"}
        self.child = subprocess.Popen(
            command,
            env={**kept, "PYTHONPATH": f"{ROOT}{os.pathsep}{inherited}", **environment},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.child.stdout:
            with self._more:
                self.lines.append(line.rstrip())
                self._more.notify_all()
        with self._more:
            self._ended = True
            self._more.notify_all()

    def line(self, telling: str, within_s: float = PATIENCE_S) -> str:
        """The first line with ``telling`` in it, now or later."""

        def found() -> str:
            return next((one for one in self.lines if re.search(telling, one)), "")

        with self._more:
            self._more.wait_for(lambda: found() or self._ended, within_s)
            assert found(), (telling, self.lines)
            return found()

    def exit_code(self) -> int:
        """Wait for the end."""
        return self.child.wait(PATIENCE_S)

    def end(self) -> None:
        """Kill it, if it still runs."""
        self.child.kill()
        self.child.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        self.child.stdout.close()


class Server:
    """A running ``grm serve``, and a session to ask it."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.url = re.search(r"http://\S+", process.line("listening on")).group()
        self.session = aiohttp.ClientSession(
            self.url,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(PATIENCE_S),
        )

    async def health(self) -> tuple[int, dict[str, str]]:
        async with self.session.get("/health") as answer:
            return answer.status, await answer.json()

    async def until(self, status: str, within_s: float = PATIENCE_S) -> str:
        """Wait until ``/health`` says ``status``; returns the reason it gives."""
        deadline = time.monotonic() + within_s
        while True:
            code, said = await self.health()
            assert (code == 200) == (said["status"] == "ready")
            if said["status"] == status:
                return said["reason"]
            assert time.monotonic() < deadline, said
            await asyncio.sleep(0.05)

    async def until_metric(self, name: str, number: float) -> None:
        """Wait until a metric has a value."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = (await self.metrics()).get(name)
            if found == number:
                return
            assert time.monotonic() < deadline, (name, found)
            await asyncio.sleep(0.05)

    async def post(self, path: str, body: Any, **more: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.post(path, json=body, **more) as answer:
            return answer.status, await answer.json()

    async def score(self, *groups: dict[str, Any]) -> list[dict[str, Any]]:
        """Verdicts by ``/v1/score``."""
        status, answer = await self.post("/v1/score", {"groups": groups})
        assert status == 200, answer
        return answer["verdicts"]

    async def reward(self, text: str, prompt: str = "q", **fields: Any) -> tuple[int, Any]:
        """One call of OpenRLHF's protocol: status, and the reward or the complaint."""
        lists = {name: [value] for name, value in fields.items()}
        body = {"query": [prompt + text], "prompts": [prompt], "labels": [None], **lists}
        status, answer = await self.post("/get_reward", body)
        return status, answer["rewards"][0] if status == 200 else answer["error"]

    async def rewards(self, *qualities: int, group: str = "g", size: int = 0) -> list[Any]:
        """One call for each response of a group, all at once."""
        calls = (
            self.reward(
                f"quality {quality}",
                group_ids=group,
                group_sizes=size or len(qualities),
                sample_indices=index,
            )
            for index, quality in enumerate(qualities)
        )
        return list(await asyncio.gather(*calls))

    async def metrics(self) -> dict[str, float]:
        async with self.session.get("/metrics") as answer:
            text = await answer.text()
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}


def row(*qualities: int, **more: Any) -> dict[str, Any]:
    """A group of ``/v1/score``."""
    return {"prompt": "q", "responses": [f"quality {number}" for number in qualities], **more}


def command(url: str, *options: str) -> list[str]:
    """``grm serve`` on a free port, with two samples of the judge at ``url`` per group."""
    return [*RUN, "serve", "--port", "0", "--url", url, "--set", "k=2", *options]


Start = Callable[..., Process]
Serve = Callable[..., Awaitable[Server]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process that ends with the test."""
    with ExitStack() as stack:

        def started(*words: object, **environment: str) -> Process:
            process = Process([str(word) for word in words], environment)
            stack.callback(process.end)
            return process

        yield started


@pytest.fixture
def judge() -> Iterator[JudgeServer]:
    """An honest judge in a thread of this process."""
    with JudgeServer(otherwise=honest).running() as server:
        yield server


@pytest.fixture
def judge_process(start: Start) -> Callable[..., tuple[Process, int]]:
    """An honest judge in a process of its own, at a port of the test's choice or a free one."""

    def started(port: int = 0) -> tuple[Process, int]:
        process = start(sys.executable, "-m", "tests.serving.honest_judge", port)
        return process, int(process.line("http://").rpartition(":")[2])

    return started


@pytest.fixture
async def serve(start: Start) -> AsyncIterator[Serve]:
    """``grm serve`` with a judge at a URL; ready unless told not to wait for that."""
    servers: list[Server] = []

    async def serving(url: str, *options: str, ready: bool = True, **environment: str) -> Server:
        server = Server(start(*command(url, *options), **environment))
        servers.append(server)
        if ready:
            await server.until("ready")
        return server

    yield serving
    for server in servers:
        await server.session.close()


@pytest.fixture(scope="module")
def shared_process() -> Iterator[Process]:
    """One server, with an honest judge, for the tests of a module that leave nothing behind."""
    with JudgeServer(otherwise=honest).running() as judge:
        process = Process(command(judge.url), {})
        yield process
        process.end()


@pytest.fixture
async def shared(shared_process: Process) -> AsyncIterator[Server]:
    server = Server(shared_process)
    await server.until("ready")
    yield server
    await server.session.close()
