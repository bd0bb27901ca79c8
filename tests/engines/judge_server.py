"""A real HTTP server in a thread that speaks the OpenAI protocol and misbehaves on request."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

Act = Callable[["JudgeServer", web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class JudgeServer:
    """Answers draw ``i`` of seed ``s`` with ``judgment of seed s+i`` unless told otherwise.

    ``acts`` are used in turn, one per POST; with none left, ``otherwise``. ``bodies`` and
    ``headers`` keep what came; ``most`` is the largest number of draws seen in flight.
    """

    def __init__(self, *acts: Act, otherwise: Act | None = None, model: str = "judge") -> None:
        self.acts = deque(acts)
        self.otherwise = otherwise or answer
        self.model = model
        self.others: list[str] = []
        self.frame: list[str] | None = None
        self.max_model_len: int | None = 4096
        self.listing: web.Response | None = None  # in place of the list of models
        self.host, self.port = "127.0.0.1", 0  # a free one
        self.api = "/v1"  # where the API is; hosted ones have other places
        self.tls: ssl.SSLContext | None = None
        self.pause_s = 0.0
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.queries: list[dict[str, str]] = []
        self.draws = self.most = self.aborted = 0
        self.released = asyncio.Event()
        self.url = ""

    @contextmanager
    def running(self) -> Iterator[JudgeServer]:
        self._loop = loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        runner = self._on(loop, self._start())
        try:
            yield self
        finally:
            self.release()
            self._on(loop, runner.cleanup())
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def release(self) -> None:
        """Let go on what waits for ``released``."""
        self._loop.call_soon_threadsafe(self.released.set)

    @staticmethod
    def _on(loop: asyncio.AbstractEventLoop, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    async def _start(self) -> web.AppRunner:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_get(f"{self.api}/models", self._models)
        app.router.add_get("/health", self._health)
        for path in (f"{self.api}/chat/completions", "/tokenize", "/classify", "/pooling"):
            app.router.add_post(path, self._post)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, self.host, self.port, ssl_context=self.tls).start()
        scheme = "https" if self.tls else "http"
        self.url = f"{scheme}://{self.host}:{runner.addresses[0][1]}"
        return runner

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, request: web.Request) -> web.Response:
        if self.listing:
            return web.Response(text=self.listing.text, status=self.listing.status)
        common = {"object": "model", "max_model_len": self.max_model_len}
        listed = [{"id": model, **common} for model in (self.model, *self.others)]
        return web.json_response({"object": "list", "data": listed})

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body.get("return_token_strs"):  # every engine asks once, at its start
            return web.json_response({"count": 9, "token_strs": self.frame})
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.queries.append(dict(request.query))
        self.draws += body.get("n", 1)
        self.most = max(self.most, self.draws)
        try:
            if self.pause_s:
                await asyncio.sleep(self.pause_s)
            act = self.acts.popleft() if self.acts else self.otherwise
            return await act(self, request, body)
        except asyncio.CancelledError:
            self.aborted += 1
            raise
        finally:
            self.draws -= body.get("n", 1)

    async def until_aborted(self, requests: int, seconds: float = 10) -> None:
        """Wait until so many requests were broken off by whoever sent them."""
        async with asyncio.timeout(seconds):
            while self.aborted != requests:
                await asyncio.sleep(0.01)


def completion(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    choices = [
        {
            "index": i,
            "finish_reason": "stop",
            "message": {
                "role": "assistant",
                "content": f"judgment of seed {body.get('seed', 0) + i}",
            },
            **changes,
        }
        for i in range(body.get("n", 1))
    ]
    usage = {"prompt_tokens": 7, "completion_tokens": 5 * body.get("n", 1) + 1}
    # servers may list choices in any order
    return {"choices": choices[::-1], "usage": usage}


async def answer(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
    if request.path == "/tokenize":
        text = " ".join(turn["content"] for turn in body["messages"])
        return web.json_response({"count": len(text.split())})
    if request.path == "/classify":
        return web.json_response({"data": [{"index": 0, "probs": [len(body["input"]) / 2]}]})
    if request.path == "/pooling":
        return web.json_response({"data": [{"index": 0, "data": [len(body["input"]) / 2]}]})
    return web.json_response(completion(body))


def choices_with(**changes: Any) -> Act:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.json_response(completion(body, **changes))

    return act


def status(code: int, message: str = "no", **headers: str) -> Act:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
        error = {"error": {"message": message, "code": code}}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(error, status=code, headers=named)

    return act


def raw(text: str) -> Act:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.Response(body=text.encode(errors="surrogateescape"))

    return act


async def hang(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
    await server.released.wait()
    return web.json_response(completion(body))


async def drop(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def die_half_way(
    server: JudgeServer, request: web.Request, body: dict[str, Any]
) -> web.StreamResponse:
    whole = json.dumps(completion(body)).encode()
    response = web.StreamResponse(headers={"Content-Length": str(len(whole))})
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    assert request.transport is not None
    request.transport.abort()
    return response


async def huge(
    server: JudgeServer, request: web.Request, body: dict[str, Any]
) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(1000):
        await response.write(b" " * 10_000)
    return response


def usage_of(usage: Any) -> Act:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.json_response(completion(body) | {"usage": usage})

    return act
