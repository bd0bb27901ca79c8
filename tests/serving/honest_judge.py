"""An OpenAI-compatible judge in a process of its own, which tests may kill.

``python -m tests.serving.honest_judge PORT``, or as ``vllm serve`` is called: a response
``quality 7`` gets 7 points.
"""

from __future__ import annotations

import re
import signal
import sys
from typing import Any

from aiohttp import web

from tests.engines.judge_server import JudgeServer, answer, completion


async def honest(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
    if request.path == "/tokenize":
        return await answer(server, request, body)
    shown = re.findall(r"quality (\d+)", body["messages"][-1]["content"])
    text = f"Scores: \\boxed{{{', '.join(shown)}}}"
    return web.json_response(completion(body, message={"role": "assistant", "content": text}))


if __name__ == "__main__":
    judge = JudgeServer(otherwise=honest)
    judge.port = int(sys.argv[sys.argv.index("--port") + 1 if "--port" in sys.argv else 1])
    with judge.running():
        print(judge.url, flush=True)
        signal.pause()
