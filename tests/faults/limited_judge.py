"""A judge behind an API that takes so many requests a second, and answers 429 to the others."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from aiohttp import web

from tests.engines.judge_server import Act, answer, completion, status


def scores(body: dict[str, Any]) -> web.Response:
    text = "Scores: \\boxed{7, 3}"
    return web.json_response(completion(body, message={"role": "assistant", "content": text}))


async def judging(server: Any, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """The first of two responses is better."""
    if request.path != "/v1/chat/completions":
        return await answer(server, request, body)
    return scores(body)


class Limited:
    """An act of a judge server that admits ``a_second`` requests within any second.

    Args:
        a_second: how many.
        told: what a 429 says beside its status, as headers.
        words: what it says.
    """

    def __init__(self, a_second: int, words: str = "slow down", **told: str) -> None:
        self._a_second, self._recent = a_second, deque[float]()
        self._refuses = status(429, words, **told)
        self.admitted = self.refused = 0

    async def __call__(
        self, server: Any, request: web.Request, body: dict[str, Any]
    ) -> web.StreamResponse:
        if request.path != "/v1/chat/completions":
            return await answer(server, request, body)
        now = time.monotonic()
        while self._recent and now - self._recent[0] >= 1.0:
            self._recent.popleft()
        if len(self._recent) >= self._a_second:
            self.refused += 1
            return await self._refuses(server, request, body)
        self._recent.append(now)
        self.admitted += 1
        return scores(body)


def refusing(code: int, words: str = "no", **more: str) -> Act:
    """Refuses whatever is asked of the judge itself."""
    refuse = status(code, words, **more)

    async def act(server: Any, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if request.path != "/v1/chat/completions":
            return await answer(server, request, body)
        return await refuse(server, request, body)

    return act
