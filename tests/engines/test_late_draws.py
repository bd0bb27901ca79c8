"""Draws that came are kept, whatever becomes of the others that were asked for beside them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from grm_plugin import GRM, Group
from grm_plugin.engine import Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import ContextError
from grm_plugin.types import Reason, Verdict
from tests.engines.conftest import Serve
from tests.engines.judge_server import Act, JudgeServer, choices_with, hang, status
from tests.engines.requests_to_judge import request_for

SCORES = choices_with(message={"role": "assistant", "content": r"\boxed{7, 3}"})


def scored(server: JudgeServer, *, engine: dict[str, Any] | None = None, **more: Any) -> Verdict:
    settings = {"k": 8, "permutations": 1, "find_culprits": 0, "group_timeout_s": 3, **more}
    with GRM(engine={"name": "server", "url": server.url, **(engine or {})}, **settings) as grm:
        return grm.score(Group.of("q", ["a", "b"]))


def few(draws: int) -> Act:
    """Gives no more draws than so many."""

    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        return await SCORES(server, request, {**body, "n": draws})

    return act


def test_draws_that_came_outlive_the_request_for_the_rest(serve: Serve) -> None:
    server = serve(JudgeServer(few(5), otherwise=status(500, "boom")))
    verdict = scored(server, tries=1)
    assert verdict.scored
    assert len(verdict.judgments) == 5
    assert verdict.failures_by_reason == {Reason.TRANSPORT: 3}
    assert verdict.cost.prompt_tokens > 0


def test_at_a_groups_deadline_only_the_draw_that_is_late_is_lost(serve: Serve) -> None:
    server = serve(JudgeServer(SCORES, SCORES, hang, otherwise=SCORES))
    verdict = scored(server, engine={"fields": {"n": None}})
    assert verdict.scored
    assert verdict.failures_by_reason == {Reason.TIMEOUT: 1}
    assert len(verdict.judgments) == 7
    assert "no answer within the group's deadline" in verdict.failures[0].detail


async def test_a_prompt_that_is_too_long_ends_the_other_requests_for_it(serve: Serve) -> None:
    long = status(400, "maximum context length is 4096 tokens")
    server = serve(JudgeServer(hang, otherwise=long))
    engine = ServerEngine({"url": server.url, "fields": {"n": None}}, Limits())
    await engine.start()
    try:
        with pytest.raises(ContextError):
            async with asyncio.timeout(5):
                await engine.sample(request_for(n=4))
        await server.until_aborted(1)
    finally:
        await engine.close()


def test_a_last_word_that_is_late_costs_its_draw_alone_and_its_first_word_is_kept(
    serve: Serve, tmp_path: Path
) -> None:
    template = tmp_path / "twice.txt"
    template.write_text(
        "---\nturns:\n  - body\n  - judge: {}\n  - user: Now score.\n---\n"
        "{{conversation}}\n{{responses}}\nWhat matters?\n"
    )
    server = serve(JudgeServer(SCORES, SCORES, hang, otherwise=SCORES))
    verdict = scored(server, k=4, template=str(template))
    assert verdict.scored
    assert len(verdict.judgments) == 3
    (late,) = verdict.failures
    assert (late.reason, late.said) == (Reason.TIMEOUT, (r"\boxed{7, 3}",))
    assert late.prompt_tokens > 0
