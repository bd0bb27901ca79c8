"""A reward server whose judge stands behind a scalar RM, which is a server of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp import web

from grm_plugin.types.scalars import sigmoid
from tests.engines.judge_server import JudgeServer
from tests.serving.conftest import Serve

CASCADE = ("--set", "scalar.use=cascade", "--set", "scalar.audit=0.000001")


async def pooling(
    server: JudgeServer, request: web.Request, body: dict[str, Any]
) -> web.StreamResponse:
    """A scalar RM for which ``quality 7`` is a logit of 7, and 13 nothing at all."""
    if request.path != "/classify":
        return web.json_response({"error": "not here"}, status=404)
    quality = int(re.search(r"quality (\d+)", body["messages"][-1]["content"])[1])
    if quality == 13:
        return web.json_response({"error": "the text is empty"}, status=400)
    return web.json_response({"data": [{"probs": [float(quality)]}]})


@pytest.fixture
def scalar_rm():
    with JudgeServer(otherwise=pooling).running() as server:
        yield server


async def test_a_cascade_is_served_and_counted(
    serve: Serve, judge: JudgeServer, scalar_rm: JudgeServer
) -> None:
    section = f"scalar.classifier={{name: server, url: '{scalar_rm.url}'}}"
    server = await serve(judge.url, *("--set", section), *CASCADE)
    sure, unsure = await server.rewards(2, 9, group="a"), await server.rewards(4, 4, group="b")
    assert [one for _, one in sure] == pytest.approx([sigmoid(2.0), sigmoid(9.0)])
    assert [one for _, one in unsure] == pytest.approx([1 / 3, 1 / 3])
    found = await server.metrics()
    assert found['grm_scalar_groups_total{outcome="scalar"}'] == 1
    assert found['grm_scalar_groups_total{outcome="judged"}'] == 1
    assert found["grm_sure_threshold"] == 0.8 and found["grm_scalar_sureness_count"] == 2
    assert found['grm_samples_total{outcome="valid"}'] == 2


async def test_a_response_without_a_scalar_score_is_counted(
    serve: Serve, judge: JudgeServer, scalar_rm: JudgeServer
) -> None:
    section = f"scalar.classifier={{name: server, url: '{scalar_rm.url}'}}"
    server = await serve(judge.url, "--set", section)
    await server.rewards(2, 13, 9, group="a")
    assert (await server.metrics())["grm_scalar_failed_responses_total"] == 1
