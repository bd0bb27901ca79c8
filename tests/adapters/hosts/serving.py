"""The reward server, asked over HTTP as OpenRLHF does, and with whole groups."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiohttp
import uvicorn

from grm_plugin import GRM
from grm_plugin.config import GRMConfig
from grm_plugin.errors import GRMError, InputError, JudgeDeadError
from grm_plugin.options import read_options
from grm_plugin.plugins import Plugins
from grm_plugin.serving.app import create_app
from grm_plugin.serving.judging import LocalJudge
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.testing.host import Asked, Datum, Rewards, in_place

ERRORS: dict[int, type[GRMError]] = {422: InputError, 503: JudgeDeadError}
Post = Callable[[str, Any], Awaitable[Any]]


class _Served:
    """A server of its own for every step."""

    path = ""

    def rewards(
        self,
        asked: Sequence[Asked],
        judge: Plugins,
        *,
        order: Sequence[tuple[int, int]],
        options: Mapping[str, Any],
        config: Mapping[str, Any],
    ) -> Rewards:
        rules = read_options(ServingSettings, "grm serve", {**self.rules(asked), **options})
        grm = GRM(GRMConfig.model_validate(dict(config)), plugins=judge)
        return asyncio.run(self._step(asked, order, rules, grm))

    def rules(self, asked: Sequence[Asked]) -> dict[str, Any]:
        return {}

    async def _step(
        self, asked: Sequence[Asked], order: Sequence[Any], rules: ServingSettings, grm: GRM
    ) -> Rewards:
        app = create_app(LocalJudge(grm), rules)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        await app.state.service.started.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
                return await self.ask(asked, order, _poster(session))
        finally:
            server.should_exit = True
            await running

    async def ask(self, asked: Sequence[Asked], order: Sequence[Any], post: Post) -> Rewards:
        raise NotImplementedError


def _poster(session: aiohttp.ClientSession) -> Post:
    async def post(path: str, body: Any) -> Any:
        text = json.dumps(body)  # NaN and all, as the trainers' clients write it
        headers = {"Content-Type": "application/json"}
        async with session.post(path, data=text, headers=headers) as answer:
            found = await answer.json()
            if answer.status != 200:
                raise ERRORS[answer.status](found["error"])
            return found

    return post


class GetRewardHost(_Served):
    """One sample a call, all at once, without ids: OpenRLHF's protocol."""

    hands_over: frozenset[Datum] = frozenset(["messages", "reference"])
    abstains = False

    def rules(self, asked: Sequence[Asked]) -> dict[str, Any]:
        with_reference = any(one.reference is not None for one in asked)
        label = "reference" if with_reference else "conversation"
        return {"group_size": len(asked[0].completions), "label": label}

    async def ask(self, asked: Sequence[Asked], order: Sequence[Any], post: Post) -> Rewards:
        calls = [self._call(asked[g], n, post) for g, n in order]
        return in_place(asked, order, await asyncio.gather(*calls))

    async def _call(self, one: Asked, n: int, post: Post) -> float:
        prompt = f"<|user|>{one.prompt}<|assistant|>"
        label = one.prompt if one.reference is None else one.reference
        query = f"{prompt}{one.completions[n]}<|im_end|>"
        body = {"query": [query], "prompts": [prompt], "labels": [label]}
        answer = await post("/get_reward", body)
        return float(answer["rewards"][0])


class ScoreHost(_Served):
    """Whole groups in one call."""

    hands_over: frozenset[Datum] = frozenset(["messages", "completions as messages", "reference"])
    abstains = True

    async def ask(self, asked: Sequence[Asked], order: Sequence[Any], post: Post) -> Rewards:
        first = list(dict.fromkeys(g for g, _ in order))
        rows = [
            {
                "prompt": asked[g].prompt,
                "responses": list(asked[g].completions),
                "reference": asked[g].reference,
            }
            for g in first
        ]
        answer = await post("/v1/score", {"groups": rows})
        by_group = dict(zip(first, answer["verdicts"], strict=True))
        return [
            by_group[g]["rewards"] or [None] * len(one.completions) for g, one in enumerate(asked)
        ]
