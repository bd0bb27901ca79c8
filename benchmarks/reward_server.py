"""What ``grm serve`` adds to the latency of the judge server behind it.

``python benchmarks/reward_server.py``: asks a judge server for k draws per group, raw and through
``grm serve``, in turns and in the same words, with 1, 16 and 256 groups at a time. The judge server
is a stand-in in a process of its own that answers after a fixed delay, so that all that differs is
ours; with ``--vllm`` it is ``vllm serve`` with the reference judge, which writes the same tokens
for both. Callers begin spread over ``--spread-s``: a fixed delay would keep them in step for ever,
and measure how a burst waits for one core. Client, judge and server share the cores of the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from typing import Any

import aiohttp
from aiohttp import web
from machine import save

from grm_plugin import GRM, Group
from grm_plugin.pipeline import planning
from grm_plugin.reference.judge import MODEL, ReferenceJudge
from grm_plugin.reference.tasks.data import best_of_groups
from grm_plugin.remote.launching.launch import ServeOptions, ServerProcess
from grm_plugin.remote.secret import Secret

CRITIQUE = "Response 1 names what was asked for and keeps to the length. " * 12
PROMPT = "Write a short answer, number {n}. " + "Some words of the question. " * 20
ANSWER = "Answer {n}. " + "Some words of the answer. " * 20
# Without prefix caching, or whoever asks second would have it easier; and vLLM's CPU engine dies of
# a seeded request whose prompt chunked prefill splits.
SERVE_ARGS = (
    "--enforce-eager --kv-cache-memory-bytes 268435456 --max-model-len 1024 "
    "--no-enable-prefix-caching --no-enable-chunked-prefill --max-num-batched-tokens 1024"
)
SERVE = "from grm_plugin.cli import main; main()"
Ask = Callable[[aiohttp.ClientSession, Group], Awaitable[None]]


def main() -> None:
    """Measure and save; or be the stand-in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vllm", action="store_true", help="a real judge, not a stand-in")
    parser.add_argument("--serve-args", default=SERVE_ARGS, help="arguments of vllm serve")
    parser.add_argument("--delay-s", type=float, default=1.0, help="of the stand-in")
    parser.add_argument("--spread-s", type=float, default=1.0, help="between first and last caller")
    parser.add_argument("--responses", type=int, default=8, help="of a group")
    parser.add_argument("--k", type=int, default=8, help="draws per group, of one prompt")
    parser.add_argument("--concurrent", type=int, nargs="+", default=[1, 16, 256])
    parser.add_argument("--rounds", type=int, default=4, help="groups per place and repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--note", default="", help="what else the machine did")
    parser.add_argument("--stand-in", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stand_in:
        stand_in(options.delay_s, options.responses)
        return
    with judge_at(options) as judge, server_at(judge, options) as server:
        runs = asyncio.run(measure(options, judge, server))
    shown = {name: value for name, value in vars(options).items() if name != "stand_in"}
    name = "reward_server_vllm" if options.vllm else "reward_server"
    print("saved", save(name, {**shown, "runs": runs}, "fastapi", "uvicorn", "aiohttp", "vllm"))


def stand_in(delay_s: float, responses: int) -> None:
    """Answer every chat completion after ``delay_s`` with scores for all responses."""

    async def models(request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "stand-in"}]})

    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        await asyncio.sleep(delay_s)
        scores = ", ".join(str(1 + n % 10) for n in range(responses))
        message = {"role": "assistant", "content": f"{CRITIQUE}\n\\boxed{{{scores}}}"}
        choices = [
            {"index": i, "finish_reason": "stop", "message": message} for i in range(body["n"])
        ]
        return web.json_response({"choices": choices, "usage": {}})

    async def run() -> None:
        app = web.Application(client_max_size=1 << 26)
        app.add_routes([web.get("/v1/models", models), web.post("/v1/chat/completions", chat)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def child(*command: str) -> Iterator[str]:
    """The address that a child process prints; it ends with the body."""
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                if found := re.search(r"http://\S+", line):
                    yield found[0]
                    break
        finally:
            process.terminate()


@contextmanager
def judge_at(options: argparse.Namespace) -> Iterator[str]:
    """The address of the judge server."""
    if not options.vllm:
        shape = ("--delay-s", str(options.delay_s), "--responses", str(options.responses))
        with child(__file__, "--stand-in", *shape) as url:
            yield url
        return
    serve = ServeOptions(model=str(MODEL), args=tuple(shlex.split(options.serve_args)))
    process = ServerProcess(serve, Secret(), "judge")
    try:
        yield asyncio.run(process.start())
    finally:
        asyncio.run(process.close())


@contextmanager
def server_at(judge: str, options: argparse.Namespace) -> Iterator[str]:
    """The address of a ``grm serve`` for that judge that lets all groups through at once."""
    settings = {
        **judge_settings(options),
        "max_concurrent_groups": 4096,
        "max_concurrent_samples": 65536,
        "request_timeout_s": 600,
    }
    pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    with child("-c", SERVE, "serve", "--port", "0", "--url", judge, *pairs) as url:
        yield url


def judge_settings(options: argparse.Namespace) -> dict[str, Any]:
    """What both ways ask the judge for."""
    model = ReferenceJudge.defaults if options.vllm else {}
    return {**model, "k": options.k, "permutations": 1}


async def measure(options: argparse.Namespace, judge: str, server: str) -> dict[str, Any]:
    """Latencies of both ways for every number of groups at a time."""
    groups = tasks(options) if options.vllm else texts(options)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(600)
    ) as session:
        model = await ready(session, judge, server)
        ways = {"raw": raw(judge, model, options), "served": served(server)}
        runs = {}
        for places in options.concurrent:
            repeats = []
            for repeat in range(options.repeats + 1):
                found, same = {}, list(islice(groups, places * options.rounds))
                for name, ask in ways.items():
                    found[name] = await load(session, ask, places, options, iter(same))
                if repeat:  # the first one warms up
                    repeats.append(found)
            runs[str(places)] = summary(repeats)
            print(places, runs[str(places)], flush=True)
    return runs


async def ready(session: aiohttp.ClientSession, judge: str, server: str) -> str:
    """Wait for the server; returns the judge's model."""
    while True:
        async with session.get(f"{server}/health") as answer:
            if answer.status == 200:
                break
        await asyncio.sleep(0.1)
    async with session.get(f"{judge}/v1/models") as answer:
        return str((await answer.json())["data"][0]["id"])


def tasks(options: argparse.Namespace) -> Iterator[Group]:
    """Reference tasks, each another one."""
    for seed in count():
        for one in best_of_groups(seed, "heldout", responses=options.responses, number=64):
            yield Group.of(one.task.query, one.responses)


def texts(options: argparse.Namespace) -> Iterator[Group]:
    """Texts of some length, each another one."""
    for n in count():
        answers = [ANSWER.format(n=f"{n}.{i}") for i in range(options.responses)]
        yield Group.of(PROMPT.format(n=n), answers)


def raw(judge: str, model: str, options: argparse.Namespace) -> Ask:
    """A group as one chat completion with ``n = k``, as the server engine sends it."""
    grm = GRM(engine={"name": "server", "url": judge}, **judge_settings(options))

    async def ask(session: aiohttp.ClientSession, group: Group) -> None:
        (showing,) = planning.plan(
            range(options.responses),
            k=options.k,
            permutations=1,
            seed=grm.config.seed,
            fingerprint=group.fingerprint,
        )
        messages = grm.template.prepare(group).render(showing.order)
        body = {
            "model": model,
            "messages": [{"role": turn.role, "content": turn.content} for turn in messages],
            "n": options.k,
            "seed": showing.seed,
            "temperature": grm.config.temperature,
            "top_p": grm.config.top_p,
            "max_tokens": grm.config.max_tokens,
        }
        async with session.post(f"{judge}/v1/chat/completions", json=body) as answer:
            assert len((await answer.json())["choices"]) == options.k

    return ask


def served(server: str) -> Ask:
    """A group by ``/v1/score``."""

    async def ask(session: aiohttp.ClientSession, group: Group) -> None:
        row = {"prompt": group.conversation[0].content, "responses": group.responses}
        async with session.post(f"{server}/v1/score", json={"groups": [row]}) as answer:
            (verdict,) = (await answer.json())["verdicts"]
            # a real judge may be unreadable; it must have been there
            assert all(one["reason"] != "transport" for one in verdict["failures"]), verdict

    return ask


async def load(
    session: aiohttp.ClientSession,
    ask: Ask,
    places: int,
    options: argparse.Namespace,
    groups: Iterator[Group],
) -> dict[str, float]:
    """``places`` callers, each asking for ``rounds`` of the groups one after the other."""
    latencies: list[float] = []

    async def caller(place: int) -> None:
        await asyncio.sleep(options.spread_s * place / places)
        for _ in range(options.rounds):
            group = next(groups)
            started = time.perf_counter()
            await ask(session, group)
            latencies.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*map(caller, range(places)))
    seconds = time.perf_counter() - started
    return {
        "p50": statistics.median(latencies),
        "p99": statistics.quantiles(latencies, n=100, method="inclusive")[98],
        "groups per s": len(latencies) / seconds,
    }


def summary(repeats: Sequence[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Medians over the repeats, and the range of what is added."""

    def middle(way: str, name: str) -> float:
        return statistics.median(one[way][name] for one in repeats)

    result: dict[str, Any] = {
        f"{way} groups per s": round(middle(way, "groups per s"), 1) for way in ("raw", "served")
    }
    for name in ("p50", "p99"):
        added = [1000 * (one["served"][name] - one["raw"][name]) for one in repeats]
        result[f"{name} raw ms"] = round(1000 * middle("raw", name), 1)
        result[f"{name} added ms"] = round(statistics.median(added), 1)
        result[f"{name} added ms, range"] = [round(min(added), 1), round(max(added), 1)]
    return result


if __name__ == "__main__":
    main()
