"""An hour's traffic in minutes: slow callers, a judge that is killed every two seconds.

Every call gets its right rewards, or is told that it has none now and gets them when it asks again.
``benchmarks/soak.py`` runs the long form and keeps its figures.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from statistics import linear_regression, quantiles
from typing import Any

import aiohttp
import pytest

from tests.cli.conftest import RUN
from tests.faults.conftest import LONG
from tests.serving.conftest import (  # fixtures among them
    Process,
    Server,
    Start,
    judge_process,  # noqa: F401
    row,
    start,  # noqa: F401
)
from tests.serving.test_http import wire
from tests.serving.test_limits import memory_mb

pytestmark = pytest.mark.timeout(7200 if LONG else 300)
CALLS = 100_000 if LONG else 3_000
LEAK_KB = 1.0 if LONG else 15.0  # a call; of so few calls memory says no more
CALLERS = 48
KILL_EVERY_S = 2.0
PATIENCE_S = 120.0
SETTINGS = (
    "queue=128",
    "header_timeout_s=2",
    "body_idle_s=2",
    "answer_timeout_s=2",
    f"flush_s={20 if LONG else 10}",
)
JudgeProcess = Callable[..., tuple[Process, int]]


@dataclass
class Traffic:
    """Callers of a server, and what became of their calls.

    ``seconds`` are of answered calls, ``told`` counts what else came, by kind; ``lost`` and
    ``wrong`` are calls without their rewards, and with others.
    """

    server: Server
    left: int = CALLS
    random: Random = field(default_factory=lambda: Random(11))
    seconds: list[float] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    wrong: int = 0
    asked: int = 0

    async def call(self) -> None:
        """One caller after the other, until enough calls were made."""
        while self.left > 0:
            qualities = [self.random.randint(1, 10) for _ in range(4)]
            ask = self.whole if self.random.random() < 0.25 else self.singly
            await self.insist(ask, qualities)

    async def insist(
        self, ask: Callable[[list[int]], Coroutine[Any, Any, bool]], qualities: list[int]
    ) -> None:
        """Ask again until there are rewards."""
        self.left -= 1 if ask == self.whole else len(qualities)
        give_up = time.monotonic() + PATIENCE_S
        while not await ask(qualities):
            if time.monotonic() > give_up:
                self.lost += 1
                return
            await asyncio.sleep(0.2)

    async def whole(self, qualities: list[int]) -> bool:
        """One call with a whole group; whether it has its rewards."""
        answer = await self.post("/v1/score", {"groups": [row(*qualities)]})
        if answer is None:
            return False
        (verdict,) = answer["verdicts"]
        return self.right(verdict["rewards"], qualities)

    async def singly(self, qualities: list[int]) -> bool:
        """A call for each response of a group; whether all have their rewards."""
        self.asked += 1
        calls = (
            self.single(quality, f"group-{self.asked}", n, len(qualities))
            for n, quality in enumerate(qualities)
        )
        return all(await asyncio.gather(*calls))

    async def single(self, quality: int, group: str, index: int, size: int) -> bool:
        body = {
            "query": [f"qquality {quality}"],
            "prompts": ["q"],
            "group_ids": [group],
            "group_sizes": [size],
            "sample_indices": [index],
        }
        answer = await self.post("/get_reward", body)
        if answer is None:
            return False
        unscored = answer["extra_logs"]["grm/unscored_rate"] != [0]
        return self.right(None if unscored else answer["rewards"], [quality])

    async def post(self, path: str, body: Any) -> Any:
        """What the server answers; None when it says that it can not now."""
        began = time.monotonic()
        try:
            status, answer = await self.server.post(path, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            self.told[type(error).__name__] += 1
            self.lost += 1
            return None
        if status != 200:
            self.told[str(status)] += 1
            return None
        self.seconds.append(time.monotonic() - began)
        return answer

    def right(self, rewards: list[float] | None, qualities: list[int]) -> bool:
        """Whether these are the rewards; others than none are counted as wrong."""
        if rewards is None:
            self.told["unscored"] += 1
            return False
        if rewards != pytest.approx([(quality - 1) / 9 for quality in qualities]):
            self.wrong += 1
        return True

    async def watch(self, memory: list[tuple[int, float]]) -> None:
        """Note again and again how many calls were made, and the server's memory in MB."""
        while True:
            memory.append((CALLS - self.left, memory_mb(self.server.process.child.pid)))
            await asyncio.sleep(0.1)


async def drip(server: Server) -> None:
    """A call whose body comes byte by byte; it is served, or told that this was too slow."""

    async def body() -> AsyncIterator[bytes]:
        for byte in json.dumps({"groups": [row(10)]}).encode():
            yield bytes([byte])
            await asyncio.sleep(0.02)

    headers = {"Content-Type": "application/json"}
    async with server.session.post("/v1/score", data=body(), headers=headers) as answer:
        assert answer.status in (200, 408)


async def stop(server: Server, head: bytes) -> None:
    """A caller that stops in the middle, until it is turned away."""
    async with wire(server) as (reader, writer):
        writer.write(head)
        await reader.read()


async def leave(server: Server) -> None:
    """A caller that goes before its answer."""
    calling = asyncio.create_task(server.reward("quality 1", group_ids="gone", group_sizes=9))
    await asyncio.sleep(0.3)
    calling.cancel()


HEAD = b"POST /v1/score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
BODY = HEAD + b"Content-Length: 4000000\r\n\r\n" + b" " * 1_000_000


async def misbehave(server: Server) -> None:
    """Slow and unreliable callers, some of each kind, again and again."""

    async def again(what: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await what()
            await asyncio.sleep(0.5)

    kinds = [lambda: drip(server), lambda: stop(server, HEAD[:50]), lambda: leave(server)]
    bodies = [lambda: stop(server, BODY)] * 5
    await asyncio.gather(*map(again, [*kinds, *kinds, *bodies]))


class Judges:
    """Two judges, of which one is killed every two seconds and starts again at once."""

    def __init__(self, begin: JudgeProcess) -> None:
        self._start, self._running, self.killed = begin, [begin(), begin()], 0

    @property
    def urls(self) -> str:
        return ", ".join(f"'http://127.0.0.1:{port}'" for _, port in self._running)

    async def kill(self) -> None:
        while True:
            await asyncio.sleep(KILL_EVERY_S)
            process, port = self._running[which := self.killed % 2]
            await asyncio.to_thread(process.end)
            self._running[which] = await asyncio.to_thread(self._start, port)
            self.killed += 1


@asynccontextmanager
async def meanwhile(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do ``work`` while the body runs; what it raises is raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_hours_of_traffic_cost_no_call_and_no_memory(
    start: Start,  # noqa: F811
    judge_process: JudgeProcess,  # noqa: F811
) -> None:
    judges = Judges(judge_process)
    serving = [f"--serving={setting}" for setting in SETTINGS]
    engine = f"engine={{name: server, urls: [{judges.urls}]}}"
    server = Server(start(*RUN, "serve", "--port", "0", "--set", engine, "--set", "k=1", *serving))
    try:
        await server.until("ready")
        traffic, began = Traffic(server), time.monotonic()
        memory: list[tuple[int, float]] = []
        async with meanwhile(judges.kill(), misbehave(server), traffic.watch(memory)):
            await asyncio.gather(*(traffic.call() for _ in range(CALLERS)))
            seconds = time.monotonic() - began
            # by then every pool and memory of answers is full
            later = [(calls, mb) for calls, mb in memory if calls >= CALLS // 2]
            print(json.dumps(figures(traffic, seconds, later, judges.killed)))
        assert (traffic.wrong, traffic.lost) == (0, 0), traffic.told
        assert growth_kb(later) < LEAK_KB, later
        assert judges.killed >= (50 if LONG else 1)
        await drained(server)
    finally:
        await server.session.close()


def growth_kb(memory: list[tuple[int, float]]) -> float:
    """By how much memory grows with a call, in KB: the slope of the line through all of it."""
    return 1000 * linear_regression(*zip(*memory, strict=True)).slope


def figures(
    traffic: Traffic, seconds: float, memory: list[tuple[int, float]], killed: int
) -> dict[str, object]:
    """What a report says."""
    cuts = quantiles(traffic.seconds, n=100)
    return {
        "callers": CALLERS,
        "calls": len(traffic.seconds),
        "calls_per_s": round(len(traffic.seconds) / seconds, 1),
        "p50_s": round(cuts[49], 3),
        "p99_s": round(cuts[98], 3),
        "memory_mb": [memory[0][1], memory[-1][1]],
        "memory_over_calls": memory[-1][0] - memory[0][0],
        "memory_kb_a_call": round(growth_kb(memory), 3),
        "judges_killed": killed,
        "told": dict(traffic.told),
        "wrong": traffic.wrong,
        "lost": traffic.lost,
    }


async def drained(server: Server) -> None:
    """Return when nothing is left in the server: no call, no group, no byte."""
    for name in ("grm_held_bytes", "grm_groups_in_flight", "grm_queue_depth"):
        await server.until_metric(name, 0)
    await server.until_metric("grm_collecting_groups", 0)
