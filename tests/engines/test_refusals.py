"""What servers of every kind say, and what it means: too long, busy, away, refused for good."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import GRM, Group
from grm_plugin.errors import ContextError, EngineError, RefusedError, TransportError
from grm_plugin.remote.refusing.faults import Away, Busy, Fault, Loading
from grm_plugin.remote.refusing.refusals import Forbidden, NotFound, Refused, refusal
from grm_plugin.remote.refusing.retry_after import seconds_asked_for
from tests.engines.conftest import Serve
from tests.engines.judge_server import JudgeServer, choices_with, status

TOO_LONG = {
    "vllm": (
        400,
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
        "(4500 in the messages, 500 in the completion). Please reduce the length of the messages.",
    ),
    "vllm, another version": (
        400,
        "The decoder prompt (length 21535) is longer than the maximum model length of 16384. Make "
        "sure that `max_model_len` is no smaller than the number of text tokens.",
    ),
    "sglang": (
        400,
        "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
    ),
    "sglang, with the answer": (
        400,
        "Requested token count exceeds the model's maximum context length of 4096 tokens.",
    ),
    "llama.cpp": (
        500,
        json.dumps(
            {
                "error": {
                    "code": 500,
                    "message": "the request exceeds the available context size. try increasing it",
                    "type": "exceed_context_size_error",
                    "n_ctx": 256,
                }
            }
        ),
    ),
    "llama-cpp-python": (500, "Requested tokens (2285) exceed context window of 2048"),
    "tgi": (
        422,
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 "
        "`inputs` tokens and 500 `max_new_tokens`",
    ),
    "tei": (413, "Input validation error: `inputs` must have less than 512 tokens. Given: 600"),
    "openai": (
        400,
        json.dumps(
            {
                "error": {
                    "message": "Your input exceeds the limit of this model.",
                    "type": "invalid_request_error",
                    "param": "messages",
                    "code": "context_length_exceeded",
                }
            }
        ),
    ),
    "openai, one request over the limit of a minute": (
        429,
        "Request too large for gpt-4o in organization o on tokens per min (TPM): Limit 30000, "
        "Requested 40000. The input or output tokens must be reduced in order to run successfully.",
    ),
    "anthropic": (400, "prompt is too long: 210000 tokens > 200000 maximum"),
    "anthropic, with the answer": (
        400,
        "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease "
        "input length or `max_tokens` and try again",
    ),
    "gemini": (
        400,
        "The input token count (2845475) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "mistral": (
        400,
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum "
        "context length",
    ),
    "ollama": (400, "the input length exceeds the context length"),
    "lm studio": (400, "Context size has been exceeded."),
    "copilot": (400, "prompt token count of 93854 exceeds the limit of 90000"),
    "bedrock": (400, "Input is too long for requested model."),
}


def said(status: int, text: str, **headers: str) -> Exception:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return refusal(status, named, text, "http://judge/v1/chat/completions")


@pytest.mark.parametrize("server", TOO_LONG)
def test_a_prompt_over_the_context_is_a_context_error_in_the_words_of(server: str) -> None:
    error = said(*TOO_LONG[server])
    assert isinstance(error, ContextError)
    assert "http://judge/v1/chat/completions: HTTP" in str(error)


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (429, "Too many tokens, please wait before trying again.", Busy),
        (429, "slow down", Busy),
        (503, "no worker is free", Busy),
        (529, '{"type": "error", "error": {"type": "overloaded_error"}}', Busy),
        (503, '{"error": {"message": "Loading model", "type": "unavailable_error"}}', Loading),
        (503, '{"error": "Model org/m is currently loading", "estimated_time": 20.0}', Loading),
        (500, "llm server loading model", Loading),
        (502, "<html>Bad Gateway</html>", Away),
        (504, "upstream request timeout", Away),
        (522, "connection timed out", Away),
        (500, "out of memory", Fault),
        (500, "RuntimeError: error while loading LoRA adapter", Fault),
        (500, "the queue holds too many tokens", Fault),
        (503, "no worker is free: too many tokens in the queue", Busy),
        (408, "request timeout", Fault),
    ],
)
def test_what_may_pass_is_told_apart(status: int, text: str, kind: type[Exception]) -> None:
    assert type(said(status, text)) is kind


@pytest.mark.parametrize(
    ("status", "text", "telling"),
    [
        (401, "bad key", "name the variable with the key in api_key_env"),
        (403, "not yours", "name the variable with the key in api_key_env"),
        (402, "Insufficient Balance", "no credit left"),
        (429, '{"error": {"message": "over", "code": "insufficient_quota"}}', "no credit left"),
        (400, "Your credit balance is too low to access the API", "no credit left"),
        (404, "The model `jugde` does not exist", "is the model's name right"),
        (405, "no POST here", "the path of url"),
        (410, "The model `judge-1` was taken off", "is the model's name right"),
        (400, '{"error": {"message": "over", "code": "billing_hard_limit_reached"}}', "no credit"),
        (403, "Your account has been disabled for violating our usage policies.", "api_key_env"),
        (400, "<h1>The plain HTTP request was sent to HTTPS port</h1>", "write https:// in url"),
    ],
)
def test_what_no_waiting_cures_is_refused_and_says_what_to_change(
    status: int, text: str, telling: str
) -> None:
    error = said(status, text)
    assert isinstance(error, RefusedError)
    assert telling in str(error)


EVERYTHING = (
    "insufficient funds, insufficient_quota. Your credit balance is too low. prompt is too long. "
    "too many tokens. content_filter. The model is loading. The plain HTTP request was sent to "
    "HTTPS port. This violates our usage policies."
)
QUOTED = [{"role": "user", "content": EVERYTHING}]
QUOTING = [
    json.dumps({"error": f"it failed; the request was {json.dumps(QUOTED)}"}),
    json.dumps({"error": {"message": "it failed", "request": {"messages": QUOTED}}}),
    json.dumps({"detail": [{"loc": ["body", "x"], "msg": "it failed", "input": QUOTED}]}),
    f"it failed: {QUOTED}",
]


@pytest.mark.parametrize("text", QUOTING)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (422, Refused), (500, Fault), (503, Busy), (403, Forbidden)],
)
def test_what_a_server_quotes_of_a_request_says_nothing_of_the_server(
    text: str, status: int, kind: type[Exception]
) -> None:
    error = said(status, text)
    assert type(error) is kind
    assert "credit left" not in str(error)


def test_what_pydantic_minds_is_told_without_what_was_sent() -> None:
    (one, other) = ({"loc": ["body", "n"], "msg": "no n"}, {"loc": ["body", "a", 0], "msg": "no"})
    text = json.dumps({"detail": [one | {"input": QUOTED}, other | {"input": 1}]})
    assert str(said(422, text)).endswith("HTTP 422: \"'n': no n; 'a.0': no\"")


def test_the_words_of_a_provider_behind_a_router_are_read() -> None:
    raw = json.dumps({"error": {"message": "too long", "code": "context_length_exceeded"}})
    error = {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}
    assert isinstance(said(400, json.dumps({"error": error})), ContextError)


@pytest.mark.parametrize(
    "text",
    [
        "Your organization was flagged; contact support",
        "We have disabled your account for violating our usage policies",
    ],
)
def test_an_account_that_is_shut_out_is_no_text_that_is_declined(text: str) -> None:
    assert isinstance(said(400, text), Refused)
    assert isinstance(said(403, text), Forbidden)


def test_an_answer_that_the_request_is_too_large_is_about_its_length() -> None:
    assert isinstance(said(413, "<html>Request Entity Too Large</html>"), ContextError)


def test_a_redirect_says_where_to() -> None:
    error = said(307, "", Location="https://judge.example/v1")
    assert isinstance(error, RefusedError)
    assert "redirects to 'https://judge.example/v1'; name that in url" in str(error)


@pytest.mark.parametrize("kind", [Busy, Away, Fault, Loading, NotFound])
def test_errors_survive_pickling(kind: type[EngineError]) -> None:
    error = kind("HTTP 503")
    assert str(pickle.loads(pickle.dumps(error))) == "HTTP 503"
    waits = Busy("HTTP 429", 2.5)
    assert pickle.loads(pickle.dumps(waits)).after_s == 2.5
    assert isinstance(waits, TransportError)


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({"Retry-After": "2"}, "", 2),
        ({"Retry-After": "1.5"}, "", 1.5),
        ({"Retry-After": "1m3s"}, "", 60),
        ({"retry-after-ms": "250"}, "", 0.25),
        ({"Retry-After": "7200"}, "", 60),
        ({"Retry-After": "-5"}, "", None),
        ({"Retry-After": "soon"}, "", None),
        ({}, "Please try again in 1.5s. Visit ...", 1.5),
        ({}, "Please try again in 20 seconds", 20),
        ({}, "Please retry after 6 seconds.", 6),
        ({}, "retry in 120ms", 0.12),
        ({}, "Please retry in 14.3s", 14.3),
        ({}, "Try again in 1m0.5s", 60),
        ({}, "wait for 3 minutes", 60),
        ({}, '{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}', 3),
        ({}, '{"detail": "slow down", "retry_after": 4}', 4),
        ({}, '{"error": "Model is currently loading", "estimated_time": 20.0}', 20),
        ({"x-ratelimit-reset-requests": "7.66s", "x-ratelimit-remaining-requests": "0"}, "", 7.66),
        ({"x-ratelimit-reset-requests": "9s", "x-ratelimit-remaining-requests": "8"}, "", None),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "9",
                "x-ratelimit-reset-tokens": "6s",
                "x-ratelimit-remaining-tokens": "0",
            },
            "",
            6,
        ),
        ({"ratelimit-reset": "12"}, "", 12),
        ({}, "slow down", None),
        ({}, "there are 3 seconds in it", None),
    ],
)
def test_when_to_ask_again_is_understood_wherever_it_is_said(
    headers: dict[str, str], text: str, seconds: float | None
) -> None:
    assert seconds_asked_for(headers, text) == seconds


@pytest.mark.parametrize(
    "write",
    [
        lambda at: format_datetime(at, usegmt=True),
        lambda at: at.isoformat(),
        lambda at: str(int(at.timestamp())),
    ],
)
def test_when_to_ask_again_may_be_a_moment(write: object) -> None:
    at = datetime.now(UTC) + timedelta(seconds=20)
    found = seconds_asked_for({"Retry-After": write(at)}, "")  # type: ignore[operator]
    assert found == pytest.approx(20, abs=2)


@given(st.dictionaries(st.sampled_from(["Retry-After", "x-ratelimit-reset"]), st.text()), st.text())
def test_whatever_a_server_says_is_no_time_or_one_up_to_a_minute(
    headers: dict[str, str], text: str
) -> None:
    found = seconds_asked_for(headers, text)
    assert found is None or 0 <= found <= 60


@given(st.integers(300, 599), st.text())
def test_whatever_a_server_says_is_one_of_our_errors(status: int, text: str) -> None:
    assert isinstance(said(status, text), EngineError | ContextError)


@pytest.mark.parametrize("code", [422, 500])
def test_a_response_that_a_server_quotes_stops_no_other_group(serve: Serve, code: int) -> None:
    async def quoting(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        if "insufficient funds" not in body["messages"][-1]["content"]:
            return await choices_with(message={"content": r"\boxed{7, 3}"})(server, request, body)
        return await status(code, f"it failed at {json.dumps(body)}")(server, request, body)

    engine = {"name": "server", "url": serve(JudgeServer(otherwise=quoting)).url}
    texts = ["a", "The bank said: insufficient funds.", "b"]
    with GRM(engine=engine, k=2, tries=1) as grm:
        verdicts = grm.score_batch([Group.of("q", [text, "x"]) for text in texts])
    assert [verdict.scored for verdict in verdicts] == [True, False, True]
