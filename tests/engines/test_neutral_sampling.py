"""Nothing that comes with a checkpoint bends what is sampled; see also ``tests/vllm``."""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from grm_plugin.engine import Draw
from grm_plugin.errors import DeclinedError, RefusedError
from grm_plugin.remote.launching.arguments import arguments
from grm_plugin.remote.refusing.refusals import Refused
from tests.engines.conftest import Serve
from tests.engines.judge_server import JudgeServer, completion, status
from tests.engines.requests_to_judge import request_for
from tests.engines.test_server_engine import engine_for
from tests.engines.test_transformers_engine import drawn
from tests.engines.test_transformers_engine import engine_for as transformers_for

NEUTRAL = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}


async def test_a_generation_config_changes_no_draw_in_transformers(
    judge_folder: Path, tmp_path: Path
) -> None:
    plain, poisoned = tmp_path / "plain", tmp_path / "poisoned"
    for folder in (plain, poisoned):
        shutil.copytree(judge_folder, folder)
    (plain / "generation_config.json").write_text('{"eos_token_id": [3, 4]}')
    (poisoned / "generation_config.json").write_text(
        '{"eos_token_id": [3, 4], "do_sample": true, "temperature": 0.01, "top_k": 1, "top_p": 0.1,'
        ' "min_p": 0.9, "typical_p": 0.1, "repetition_penalty": 9.0, "no_repeat_ngram_size": 1,'
        ' "num_beams": 3, "max_new_tokens": 2, "min_new_tokens": 9, "bad_words_ids": [[7]],'
        ' "suppress_tokens": [8, 9], "forced_eos_token_id": 3}'
    )
    found = []
    for folder in (plain, poisoned):
        async with transformers_for(folder) as engine:
            found.append([draw.text for draw in await drawn(engine, request_for(n=8))])
    assert found[0] == found[1]


async def test_servers_of_others_are_sent_neutral_values(serve: Serve) -> None:
    server = serve(JudgeServer())
    async with engine_for(server) as engine:
        await engine.sample(request_for())
    assert NEUTRAL.items() <= server.bodies[0].items()


@pytest.mark.parametrize("code", [400, 422])
async def test_a_field_that_is_refused_by_name_is_left_out_from_then_on(
    serve: Serve, code: int
) -> None:
    server = serve(JudgeServer(otherwise=_takes_only("top_k", code)))
    async with engine_for(server) as engine:
        first = await engine.sample(request_for())
        asked = len(server.bodies)
        await engine.sample(request_for())
    assert isinstance(first[0], Draw)
    assert asked == 3  # the one they name comes first, then the other
    assert len(server.bodies) == asked + 1
    assert "top_k" in server.bodies[-1]
    assert not {"min_p", "repetition_penalty"} & server.bodies[-1].keys()


async def test_no_sample_is_lost_when_many_requests_meet_the_refusal_together(
    serve: Serve,
) -> None:
    server = serve(JudgeServer(otherwise=_takes_only("", 400)))
    async with engine_for(server) as engine:
        found = await asyncio.gather(*(engine.sample(request_for(seed=i)) for i in range(40)))
    assert all(isinstance(draw, Draw) for draws in found for draw in draws)


def _takes_only(name: str, code: int) -> Any:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        for field in NEUTRAL:
            if field in body and field != name:
                words = f"{'x' * 400} Unrecognized request argument supplied: {field}"
                return await status(code, words)(server, request, body)
        return web.json_response(completion(body))

    return act


async def test_a_refusal_of_something_else_is_told_and_leaves_the_fields_alone(
    serve: Serve,
) -> None:
    server = serve(JudgeServer(*[status(400, "temperature must be below 2")] * 2))
    async with engine_for(server) as engine:
        with pytest.raises(RefusedError, match="HTTP 400: 'temperature must be below 2'"):
            await engine.sample(request_for())
        await engine.sample(request_for())
    assert NEUTRAL.items() <= server.bodies[2].items()


@pytest.mark.parametrize("quoted_body", [False, True])
async def test_a_refusal_that_only_quotes_the_request_leaves_the_fields_alone(
    serve: Serve, quoted_body: bool
) -> None:
    server = serve(JudgeServer(otherwise=_dislikes_a_word(quoted_body)))
    async with engine_for(server) as engine:
        with pytest.raises(DeclinedError, match="the content is not allowed"):
            await engine.sample(request_for("what is top_k? BAD"))
        await engine.sample(request_for("what is top_k?"))
    assert NEUTRAL.items() <= server.bodies[-1].items()


def _dislikes_a_word(quoted_body: bool) -> Any:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        if "BAD" not in json.dumps(body):
            return web.json_response(completion(body))
        shown = body if quoted_body else body["messages"]
        words = f"the content is not allowed: {json.dumps(shown)}"
        return await status(400, words)(server, request, body)

    return act


async def test_a_field_that_is_left_out_is_told_once(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(JudgeServer(otherwise=_takes_only("top_k", 400)))
    async with engine_for(server) as engine:
        await asyncio.gather(*(engine.sample(request_for(seed=i)) for i in range(9)))
    told = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert sum("takes no min_p" in text for text in told) == 1
    assert sum("takes no repetition_penalty" in text for text in told) == 1


async def test_a_value_of_the_users_own_is_never_left_out(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=status(400, "top_k is not supported")))
    async with engine_for(server, extra_body={"top_k": 20}) as engine:
        with pytest.raises(RefusedError, match="top_k is not supported"):
            await engine.sample(request_for())


def test_a_refusal_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(Refused("no", "no, top_k")))
    assert (str(copy), copy.said) == ("no", "no, top_k")


@pytest.mark.parametrize(
    ("command", "args", "ours"),
    [
        (("vllm", "serve"), (), ["--generation-config", "vllm"]),
        (
            ("python", "-m", "vllm.entrypoints.openai.api_server"),
            (),
            ["--generation-config", "vllm"],
        ),
        (("vllm", "serve"), ("--generation-config=auto",), ["--generation-config=auto"]),
        (("vllm", "serve"), ("--generation_config", "x"), ["--generation_config", "x"]),
        (("sglang",), (), []),
    ],
)
def test_a_vllm_of_ours_is_told_to_leave_the_generation_config_alone(
    command: tuple[str, ...], args: tuple[str, ...], ours: list[str]
) -> None:
    assert arguments(command, [], args) == ours
