"""A judge server as a process of its own: ``python -m ... PORT BEHAVIOUR PAUSE_S``.

Behaviours: ``fair`` scores what it is shown, PAUSE_S seconds later; ``moody`` does so for half of
the prompts and answers 500 for the others; ``error`` answers 500, ``garbage`` sends no JSON,
``hang`` answers nothing at all.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from tests.e2e.trl.shown_judge import judgment
from tests.engines.judge_server import Act, JudgeServer, answer, completion, hang, raw, status

ROOT = Path(__file__).parents[3]


class JudgeProcess:
    """Such a server, which can be killed and started again on its port."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = str(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self, behaviour: str = "fair", pause_s: float = 0.0) -> None:
        """Returns once it listens."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, self._port, behaviour, str(pause_s)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class KeyedServer(JudgeServer):
    """Refuses whoever has not the key in JUDGE_KEY, if there is one, as ``vllm serve`` does."""

    async def _models(self, request: web.Request) -> web.Response:
        return refusal(request) or await super()._models(request)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        return refusal(request) or await super()._post(request)


def refusal(request: web.Request) -> web.Response | None:
    key = os.environ.get("JUDGE_KEY")
    if key is None or request.headers.get("Authorization") == f"Bearer {key}":
        return None
    return web.json_response({"error": "Unauthorized"}, status=401)


FAULTS = {"error": status(500, "out of memory"), "garbage": raw("<html>"), "hang": hang}


def moody(fair: Act) -> Act:
    """Fails for half of the prompts, for the same whenever it is asked."""

    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        if request.path == "/v1/chat/completions":
            asked = body["messages"][-1]["content"].partition("[The Begin of Response")[0]
            if zlib.crc32(asked.encode()) % 2:
                return await FAULTS["error"](server, request, body)
        return await fair(server, request, body)

    return act


def judging(pause_s: float) -> Act:
    """Scores what it is shown, ``pause_s`` later."""

    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
        if request.path != "/v1/chat/completions":
            return await answer(server, request, body)
        await asyncio.sleep(pause_s)
        answered = completion(body)
        for choice in answered["choices"]:
            text = judgment(body["messages"][-1]["content"], body["seed"] + choice["index"])
            choice["message"]["content"] = text
        return web.json_response(answered)

    return act


def main(port: str, behaviour: str, pause_s: str) -> None:
    fair = judging(float(pause_s))
    server = KeyedServer(otherwise={"fair": fair, "moody": moody(fair), **FAULTS}[behaviour])
    server.port = int(port)
    with server.running():
        print("ready", flush=True)
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
