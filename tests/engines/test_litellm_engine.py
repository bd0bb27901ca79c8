"""The ``litellm`` engine, with the library itself, against a server over real HTTP."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import tests.engines.judge_server as acts
from grm_plugin import GRM, Group
from grm_plugin.engine import Draw, Limits
from grm_plugin.engines.litellm import LiteLLMEngine
from grm_plugin.engines.litellm_errors import understood
from grm_plugin.engines.litellm_prices import prices_of
from grm_plugin.errors import (
    ConfigError,
    ContextError,
    DeclinedError,
    EngineError,
    JudgeRefusedError,
    RefusedError,
    RequestTimeout,
    TransportError,
)
from grm_plugin.prices import Prices
from tests.engines.judge_server import JudgeServer
from tests.engines.requests_to_judge import request_for, until

pytest.importorskip("litellm", reason="the extra grm-plugin[litellm]")
Serve = Callable[[JudgeServer], JudgeServer]
ROOT = Path(__file__).parents[2]
KEY = "sk-never-shown-0123"
LUXURY = 2.0  # US dollars for a million tokens of any kind


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)


@asynccontextmanager
async def engine_for(
    server: JudgeServer, limits: Limits | None = None, **options: Any
) -> AsyncIterator[LiteLLMEngine]:
    given = {"model": "openai/gpt-4o-mini", "url": f"{server.url}/v1", "api_key_env": "JUDGE_KEY"}
    engine = LiteLLMEngine(given | options, limits or Limits(tries=3, request_timeout_s=20))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def _free_port() -> int:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
    return port


async def drawn(server: JudgeServer, limits: Limits | None = None, **options: Any) -> Any:
    async with engine_for(server, limits, **options) as engine:
        (draw,) = await engine.sample(request_for())
    return draw


async def test_n_draws_are_n_requests_with_seeds_of_their_own_and_cost_what_the_table_says(
    serve: Serve,
) -> None:
    server = serve(JudgeServer())
    async with engine_for(server) as engine:
        draws = await engine.sample(request_for(n=3, seed=40))
        assert engine.prices == Prices(prompt=0.15, output=0.6)
    assert [one.text for one in draws if isinstance(one, Draw)] == [
        f"judgment of seed {seed}" for seed in (40, 41, 42)
    ]
    assert sorted(body["seed"] for body in server.bodies) == [40, 41, 42]
    assert all("n" not in body for body in server.bodies)
    (one, *_) = draws
    assert isinstance(one, Draw)
    assert (one.prompt_tokens, one.output_tokens, one.same_prompt) == (7, 6, 1)
    assert one.money == pytest.approx((7 * 0.15 + 6 * 0.6) / 1e6)


async def test_what_the_provider_says_that_it_cost_holds_before_the_table(serve: Serve) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 6, "total_tokens": 13, "cost": 0.125}
    assert (await drawn(serve(JudgeServer(acts.usage_of(usage))))).money == 0.125


async def test_a_model_that_no_table_knows_has_no_price(serve: Serve) -> None:
    async with engine_for(serve(JudgeServer()), model="openai/my-own-judge") as engine:
        (draw,) = await engine.sample(request_for())
        assert (draw.money, engine.prices) == (None, None)  # type: ignore[union-attr]


async def test_a_provider_that_is_busy_is_waited_for_outside_of_the_tries(serve: Serve) -> None:
    busy = [acts.status(code, "too many", Retry_After="0.05") for code in (429, 503) * 5]
    server = serve(JudgeServer(*busy))
    assert isinstance(await drawn(server), Draw)
    assert len(server.bodies) == 11


async def test_retry_after_is_kept(serve: Serve) -> None:
    server, before = serve(JudgeServer(acts.status(429, "wait", Retry_After="1"))), time.monotonic()
    assert isinstance(await drawn(server), Draw)
    assert time.monotonic() - before > 1


async def test_many_draws_at_a_provider_of_few_requests_a_second_all_come_with_one_line_of_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    answered: list[float] = []

    async def at_most_30_a_second(*asked: Any) -> Any:
        recent = [at for at in answered if time.monotonic() - at < 1]
        if len(recent) >= 30:
            return await acts.status(429, "too many")(*asked)
        answered.append(time.monotonic())
        return await acts.answer(*asked)

    async with engine_for(serve(JudgeServer(otherwise=at_most_30_a_second))) as engine:
        draws = await engine.sample(request_for(n=64))
    assert all(isinstance(one, Draw) for one in draws)
    assert len([one for one in caplog.records if "is busy" in one.message]) == 1


async def test_a_provider_that_stays_busy_is_a_timeout_that_says_so(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=acts.status(429, "too many requests for you")))
    error = await drawn(server, Limits(request_timeout_s=1.2))
    assert isinstance(error, RequestTimeout)
    assert "no answer within 1.2 s; last: " in str(error)
    assert "too many requests for you" in str(error)


async def test_a_provider_that_hangs_is_a_timeout(serve: Serve) -> None:
    error = await drawn(serve(JudgeServer(otherwise=acts.hang)), Limits(request_timeout_s=0.5))
    assert isinstance(error, RequestTimeout)


@pytest.mark.parametrize("act", [acts.status(500, "oh"), acts.drop, acts.raw("<html>")])
async def test_other_faults_are_tried_again_and_then_fail_the_draw(
    serve: Serve, act: acts.Act
) -> None:
    server = serve(JudgeServer(act))
    assert isinstance(await drawn(server), Draw)
    lost = serve(JudgeServer(otherwise=act))
    error = await drawn(lost)
    assert isinstance(error, TransportError)
    assert "gave up after 3 tries" in str(error)
    assert len(lost.bodies) == 3


@pytest.mark.parametrize(
    ("code", "message", "fix"),
    [
        (401, "Incorrect API key provided: sk-never-shown-0123", "api_key_env"),
        (403, "no access to this model", "api_key_env"),
        (404, "The model `gpt-9` does not exist", "is the model's name right"),
        (400, "Unsupported parameter: 'seed'", "take out or change what it names"),
        (429, "insufficient_quota: check your plan", "the account has no credit left"),
    ],
)
async def test_a_refusal_is_told_in_the_providers_words_with_what_to_change_and_not_tried_again(
    serve: Serve, code: int, message: str, fix: str
) -> None:
    server = serve(JudgeServer(otherwise=acts.status(code, message)))
    error = await drawn(server)
    assert isinstance(error, RefusedError)
    assert message.partition(":")[0] in str(error)
    assert fix in str(error)
    assert KEY not in str(error)
    asked = {request_for().messages[0].content, server.bodies[-1]["messages"][0]["content"]}
    assert len(server.bodies) == len(asked) == (2 if code == 400 else 1)  # the text, or any text


@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-haiku", "gemini/gemini-2.0"])
def test_without_a_key_nothing_is_tried_again_and_the_variable_is_named(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"{'google' if 'gemini' in model else model.partition('/')[0]}_API_KEY".upper()
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with (
        GRM(engine={"name": "litellm", "model": model}, k=2) as grm,
        pytest.raises(JudgeRefusedError, match=f"(?s)Missing .*{variable}"),
    ):
        grm.score(Group.of("2 + 2?", ["4", "5"]))


async def test_a_400_after_an_answer_is_about_one_text_and_not_about_us(serve: Serve) -> None:
    server = serve(JudgeServer(acts.answer, acts.status(400, "invalid text")))
    async with engine_for(server) as engine:
        await engine.sample(request_for())
        (error,) = await engine.sample(request_for())
    assert "invalid text" in str(error)
    assert not isinstance(error, RefusedError)


async def test_a_prompt_over_the_context_is_a_context_error(serve: Serve) -> None:
    said = "This model's maximum context length is 4096 tokens"
    with pytest.raises(ContextError, match="maximum context length is 4096"):
        await drawn(serve(JudgeServer(acts.status(400, said))))


async def test_what_a_providers_filter_would_not_judge_is_declined(serve: Serve) -> None:
    said = "Invalid prompt: flagged as potentially violating our usage policy"
    assert isinstance(await drawn(serve(JudgeServer(acts.status(400, said)))), DeclinedError)


GEMINI = "You exceeded your current quota, please check your plan. Please retry in 0.2s."


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (400, "The prompt triggered the content management policy", DeclinedError),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4096", ContextError),
        (400, "this text is odd", DeclinedError),
    ],
)
async def test_what_is_wrong_with_the_first_text_ends_no_run(
    serve: Serve, code: int, message: str, kind: type[Exception]
) -> None:
    async with engine_for(serve(JudgeServer(acts.status(code, message)))) as engine:
        (found,) = await asyncio.gather(engine.sample(request_for()), return_exceptions=True)
        error = found if isinstance(found, BaseException) else found[0]
        assert isinstance(error, kind)
        assert isinstance((await engine.sample(request_for()))[0], Draw)


async def test_a_quota_of_a_minute_is_waited_for(serve: Serve) -> None:
    server = serve(JudgeServer(*[acts.status(429, GEMINI)] * 4))
    assert isinstance(await drawn(server), Draw)


@pytest.mark.parametrize("code", [502, 504, 529])
async def test_a_provider_behind_a_proxy_that_misses_it_is_waited_for_outside_of_the_tries(
    serve: Serve, code: int
) -> None:
    server = serve(JudgeServer(*[acts.status(code, Retry_After="0.05")] * 6))
    assert isinstance(await drawn(server), Draw)
    assert len(server.bodies) == 7


async def test_a_provider_that_is_not_there_yet_is_waited_for(serve: Serve) -> None:
    later = JudgeServer()
    later.port = _free_port()
    later.url = f"http://{later.host}:{later.port}"
    async with engine_for(later) as engine:
        asked = asyncio.ensure_future(engine.sample(request_for()))
        await until(lambda: bool(engine.trouble))
        assert "connection refused" in engine.trouble
        await asyncio.sleep(1)
        serve(later)
        (draw,) = await asked
    assert isinstance(draw, Draw)


async def test_a_provider_that_stays_away_is_told_as_that() -> None:
    absent = JudgeServer()
    absent.url = f"http://127.0.0.1:{_free_port()}"
    error = await drawn(absent, Limits(request_timeout_s=1))
    assert isinstance(error, TransportError)
    assert "no answer within 1 s; last: " in str(error)
    assert "connection refused" in str(error)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://nosuch.invalid/v1", "there is no host of the name 'nosuch.invalid'"),
        ("https://{address}/v1", "the server speaks plain http there; write http://"),
    ],
)
async def test_an_address_that_can_not_be_right_is_refused_by_name(
    serve: Serve, url: str, said: str
) -> None:
    address = serve(JudgeServer()).url.removeprefix("http://")
    error = await drawn(JudgeServer(), url=url.format(address=address))
    assert isinstance(error, RefusedError)
    assert said in str(error)


async def test_a_redirect_to_nowhere_says_where_to(serve: Serve) -> None:
    away = acts.status(302, Location="http://elsewhere.invalid/")
    error = await drawn(serve(JudgeServer(otherwise=away)))
    assert isinstance(error, RefusedError)
    assert "elsewhere.invalid" in str(error)


@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "deepseek/deepseek-chat"])
@pytest.mark.parametrize(
    "act",
    [
        acts.usage_of({"prompt_tokens": "many", "completion_tokens": -1}),
        acts.choices_with(
            message={"role": "assistant", "content": [{"type": "text", "text": "judgment"}]}
        ),
    ],
)
async def test_what_litellm_can_not_make_an_answer_of_is_read_as_the_provider_sent_it(
    serve: Serve, act: acts.Act, model: str
) -> None:
    server = serve(JudgeServer(otherwise=act))
    draw = await drawn(server, model=model)
    assert isinstance(draw, Draw)
    assert draw.text.startswith("judgment")
    assert len(server.bodies) == 1


def test_an_answer_that_litellm_can_not_read_is_no_refusal_whatever_it_is_called() -> None:
    class BadRequestError(Exception):
        status_code = 422

    error, sent = BadRequestError("Error converting to valid response"), '{"candidates": [1]}'
    found = understood(error, "m", sent=sent)
    assert type(found) is TransportError
    assert "litellm can not read the answer" in str(found)
    assert not isinstance(understood(error, "m", sent='{"error": "no"}'), TransportError)


async def test_a_completion_that_nobody_can_read_is_paid_for_once(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=acts.choices_with(message=7)))
    assert isinstance(await drawn(server), TransportError)
    assert len(server.bodies) == 1


async def test_a_prompt_that_is_too_long_ends_the_other_requests_for_it(serve: Serve) -> None:
    long = acts.status(400, "maximum context length is 4096 tokens")
    server = serve(JudgeServer(acts.hang, otherwise=long))
    async with engine_for(server) as engine:
        with pytest.raises(ContextError):
            async with asyncio.timeout(10):
                await engine.sample(request_for(n=4))
        await server.until_aborted(1)


async def test_only_so_many_draws_are_in_flight_as_the_limits_allow(serve: Serve) -> None:
    server = serve(JudgeServer())
    server.pause_s = 0.05
    async with engine_for(server, Limits(max_concurrent_samples=3)) as engine:
        await engine.sample(request_for(n=9))
    assert server.most == 3


async def test_what_a_provider_does_not_take_is_told_for_the_record(serve: Serve) -> None:
    server = serve(JudgeServer())
    async with engine_for(server, model="anthropic/claude-sonnet-4-5") as engine:
        assert engine.altered == {"not_sent": ["seed"]}
    async with engine_for(server) as engine:
        assert engine.altered == {}


async def test_a_key_that_a_provider_repeats_reaches_no_draw(serve: Serve) -> None:
    server = serve(JudgeServer(acts.choices_with(message={"content": f"it is {KEY}"})))
    assert (await drawn(server)).text == "it is ***"


async def test_further_arguments_are_passed_on_and_ours_may_not_be_set(serve: Serve) -> None:
    server = serve(JudgeServer())
    await drawn(server, arguments={"extra_body": {"reasoning": {"effort": "low"}}})
    assert server.bodies[0]["reasoning"] == {"effort": "low"}
    with pytest.raises(ConfigError, match="arguments must not set num_retries, seed"):
        LiteLLMEngine({"model": "x", "arguments": {"seed": 1, "num_retries": 3}}, Limits())


def test_a_whole_run_knows_its_price_and_keeps_a_budget_without_being_told_any(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(JudgeServer(otherwise=acts.choices_with(message={"content": r"\boxed{9, 2}"})))
    engine = {"name": "litellm", "model": "openai/gpt-4o-mini", "url": f"{server.url}/v1"}
    with GRM(engine={**engine, "api_key_env": "JUDGE_KEY"}, k=2, budget={"money": 0.5}) as grm:
        verdict = grm.score(Group.of("2 + 2?", ["4", "5"]))
    assert verdict.scored
    assert verdict.cost.money == pytest.approx(2 * (7 * 0.15 + 6 * 0.6) / 1e6)
    unknown = {**engine, "model": "openai/my-own-judge", "api_key_env": "JUDGE_KEY"}
    with (
        GRM(engine=unknown, budget={"money": 1}) as grm,
        pytest.raises(ConfigError, match="prices"),
    ):
        grm.start()
    own = {"prompt": LUXURY, "output": LUXURY}
    with GRM(engine=unknown, k=2, budget={"money": 1}, prices=own) as grm:
        assert grm.score(Group.of("2 + 2?", ["4", "5"])).cost.money == pytest.approx(
            26 * LUXURY / 1e6
        )


def test_prices_in_the_config_hold_before_the_table(serve: Serve) -> None:
    server = serve(JudgeServer(otherwise=acts.choices_with(message={"content": r"\boxed{9, 2}"})))
    engine = {"name": "litellm", "model": "openai/gpt-4o-mini", "url": f"{server.url}/v1"}
    own = {"prompt": LUXURY, "output": LUXURY}
    with GRM(engine={**engine, "api_key_env": "JUDGE_KEY"}, k=1, prices=own) as grm:
        cost = grm.score(Group.of("2 + 2?", ["4", "5"])).cost
    assert cost.money == pytest.approx(13 * LUXURY / 1e6)


def test_it_prints_nothing_logs_one_line_of_ours_and_looks_up_no_price_table_on_the_network(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve(JudgeServer(acts.status(429, "busy", Retry_After="0"), acts.status(500, "oh")))
    script = f"""
import asyncio, logging, socket
logging.basicConfig(level=logging.WARNING)
connect = socket.socket.connect
def local_only(self, address):
    assert address[0] in ("127.0.0.1", "localhost"), address
    return connect(self, address)
socket.socket.connect = local_only
resolve = socket.getaddrinfo
def known_only(host, *more, **named):
    assert host in ("127.0.0.1", "localhost", None), host
    return resolve(host, *more, **named)
socket.getaddrinfo = known_only
from grm_plugin.engine import Limits
from grm_plugin.engines.litellm import LiteLLMEngine
from tests.engines.requests_to_judge import request_for, until
async def run():
    engine = LiteLLMEngine({{"model": "openai/gpt-4o-mini", "url": "{server.url}/v1",
                            "api_key_env": "JUDGE_KEY"}}, Limits())
    await engine.start()
    (draw,) = await engine.sample(request_for())
    assert draw.text == "judgment of seed 7", draw
    await engine.close()
asyncio.run(run())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    environment.pop("LITELLM_LOCAL_MODEL_COST_MAP", None)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120,
        cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    (line,) = done.stderr.splitlines()
    assert "openai/gpt-4o-mini is busy and is waited for: " in line


def test_an_error_that_litellm_itself_makes_is_told_by_name() -> None:
    error = understood(KeyError("choices"), "engine 'litellm': m")
    assert isinstance(error, EngineError)
    assert "litellm failed: KeyError" in str(error)


def test_the_highest_of_tiered_prices_counts() -> None:
    table = {
        "m": {
            "input_cost_per_token": 1e-6, "input_cost_per_token_above_128k_tokens": 2e-6,
            "input_cost_per_token_priority": 9e-6, "output_cost_per_token": 4e-6,
            "output_cost_per_reasoning_token": 5e-6,
        }
    }  # fmt: skip
    assert prices_of(table, "p/m") == Prices(prompt=2, output=5)
    assert prices_of({"m": {"output_cost_per_token": 1e-6}}, "m") is None


async def test_a_key_that_a_judge_repeats_is_in_no_draw(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_API_KEY", "sk-of-another-0123")
    message = {"role": "assistant", "content": f"{KEY} and sk-of-another-0123"}
    server = serve(JudgeServer(acts.choices_with(message=message)))
    draw = await drawn(server)
    assert isinstance(draw, Draw)
    assert draw.text == "*** and ***"
