"""An OpenAI-compatible server that answers after a fixed delay, however much it is asked at once.

``python benchmarks/delayed_judge.py SECONDS`` prints its port. ``/seen`` tells how many requests
came since it was last asked, and how many of them were in flight together at most.
"""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from typing import Any

from aiohttp import web

SHOWN = re.compile(r"\[The Begin of Response (\d+)\]")


@dataclass
class Judge:
    """Counts what comes and scores every response by its place."""

    delay_s: float
    requests: int = 0
    in_flight: int = 0
    most: int = 0

    async def judge(self, request: web.Request) -> web.Response:
        """One completion, later."""
        body = await request.json()
        self.requests += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await asyncio.sleep(self.delay_s)
        self.in_flight -= 1
        return web.json_response(completion(body))

    async def seen(self, request: web.Request) -> web.Response:
        """The counts, which start again at 0."""
        told = {"requests": self.requests, "most in flight": self.most}
        self.requests = self.most = 0
        return web.json_response(told)

    async def models(self, request: web.Request) -> web.Response:
        """The one model there is."""
        return web.json_response({"data": [{"id": "delayed", "max_model_len": 8192}]})


def completion(body: dict[str, Any]) -> dict[str, Any]:
    """As many judgments as were asked for, scoring 1, 2, ... by place."""
    responses = len(SHOWN.findall(body["messages"][-1]["content"]))
    box = ", ".join(str(place) for place in range(1, responses + 1))
    message = {"role": "assistant", "content": f"Analysis: by place.\nScores: \\boxed{{{box}}}"}
    choice = {"finish_reason": "stop", "message": message}
    return {
        "choices": [{"index": i, **choice} for i in range(body.get("n", 1))],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0},
    }


async def serve(delay_s: float) -> None:
    """Serve on a free port of this machine until the process is ended."""
    judge, app = Judge(delay_s), web.Application()
    app.router.add_post("/v1/chat/completions", judge.judge)
    app.router.add_get("/v1/models", judge.models)
    app.router.add_get("/seen", judge.seen)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
