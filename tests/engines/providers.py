"""Stand-ins for hosted endpoints: each refuses what the provider's documentation says it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.engines.judge_server import JudgeServer

KEY = "sk-hosted-0123456789"
OPENAI = {"model", "messages", "n", "seed", "temperature", "top_p", "stop", "stream", "logprobs"}
OPENAI |= {"top_logprobs", "max_completion_tokens"}
CLASSIC = (OPENAI - {"max_completion_tokens"}) | {"max_tokens"}
OPEN_WEIGHTS = CLASSIC | {"top_k", "min_p", "repetition_penalty"}


@dataclass(frozen=True)
class Quirks:
    """How an endpoint behaves.

    Args:
        api: where it is.
        takes: fields of a request that are no error.
        words: what it says of another field, with a place for the name.
        code: the status it says that with.
        header: the header that must carry the key, and how.
        query: what the URL must carry.
        most: draws it gives for one request; more are an error where ``strict``.
        end: its word for an answer that ended by itself.
        rule: says what else is wrong with a body; empty if nothing is.
        seed: its name of the seed, None if it has none.
    """

    api: str
    takes: set[str]
    words: str = "Unrecognized request argument supplied: {}"
    code: int = 400
    header: tuple[str, str] = ("Authorization", f"Bearer {KEY}")
    query: Mapping[str, str] = field(default_factory=dict)
    most: int = 128
    strict: bool = False
    end: str = "stop"
    seed: str | None = "seed"

    def wrong(self, body: Mapping[str, Any]) -> str:
        strange = sorted(body.keys() - self.takes)
        if strange:
            return self.words.format(strange[0])
        if self.strict and body.get("n", 1) > self.most:
            return f"'n' : number must be at most {self.most}"
        return ""


def _of(quirks: Quirks, wrong: Any) -> Quirks:
    """``quirks`` with one more thing that is wrong with a body."""

    class More(Quirks):
        def wrong(self, body: Mapping[str, Any]) -> str:
            return super().wrong(body) or wrong(body)

    return More(**vars(quirks))


def _both(body: Mapping[str, Any]) -> str:
    both = {"temperature", "top_p"} <= body.keys()
    return "`temperature` and `top_p` cannot both be specified for this model." if both else ""


def _below_one(body: Mapping[str, Any]) -> str:
    return "`top_p` must be > 0.0 and < 1.0" if body.get("top_p", 0.5) >= 1 else ""


def _truncates(body: Mapping[str, Any]) -> str:
    told = body.get("context_length_exceeded_behavior") == "error"
    return "" if told else "the stand-in would have truncated"


_GEMINI = 'Invalid JSON payload received. Unknown name "{}": Cannot find field.'
_MISTRAL = '[{{"type": "extra_forbidden", "loc": ["body", "{}"], "msg": "Extra input"}}]'
_UNSUPPORTED = "Unsupported parameter: '{}' is not supported with this model."

QUIRKS: Mapping[str, Quirks] = {
    "openai": Quirks("/v1", OPENAI, _UNSUPPORTED),
    "azure": Quirks(
        "/openai/deployments/judge",
        OPENAI,
        _UNSUPPORTED,
        header=("api-key", KEY),
        query={"api-version": "2024-10-21"},
    ),
    "anthropic": _of(
        Quirks(
            "/v1",
            CLASSIC - {"seed", "logprobs", "top_logprobs"},
            most=1,
            strict=True,
            end="end_turn",
            seed=None,
        ),
        _both,
    ),
    "gemini": Quirks(
        "/v1beta/openai",
        CLASSIC - {"seed"},
        _GEMINI,
        most=8,
        strict=True,
        end="STOP",
        seed=None,
    ),
    "mistral": Quirks(
        "/v1",
        (CLASSIC - {"seed", "logprobs", "top_logprobs"}) | {"random_seed"},
        _MISTRAL,
        code=422,
        seed="random_seed",
    ),
    "together": Quirks("/v1", OPEN_WEIGHTS - {"top_k"}, end="eos"),
    "fireworks": _of(
        Quirks("/inference/v1", (OPEN_WEIGHTS - {"top_k"}) | {"context_length_exceeded_behavior"}),
        _truncates,
    ),
    "groq": Quirks("/openai/v1", OPENAI - {"logprobs", "top_logprobs"}, most=1, strict=True),
    "deepseek": Quirks("/v1", CLASSIC - {"seed", "n"}, most=1, seed=None),
    "openrouter": Quirks("/api/v1", (OPEN_WEIGHTS - {"top_k", "n"}) | {"provider"}, most=1),
    "tgi": _of(Quirks("/v1", CLASSIC, most=1, end="eos_token"), _below_one),
    "sglang": Quirks("/v1", OPEN_WEIGHTS, most=1, strict=True),
    "llamacpp": Quirks(
        "/v1", (OPEN_WEIGHTS - {"repetition_penalty"}) | {"repeat_penalty"}, most=1, strict=True
    ),
    "ollama": Quirks("/v1", CLASSIC, most=1),
    "vllm": Quirks("/v1", OPEN_WEIGHTS),
}


def stand_in(quirks: Quirks, answer: str = "") -> JudgeServer:
    """A server with these quirks; ``answer`` is what it writes in place of the seeds."""
    server = JudgeServer(model="judge")
    server.api = quirks.api

    async def act(at: JudgeServer, request: web.Request, body: dict[str, Any]) -> web.Response:
        name, value = quirks.header
        if request.headers.get(name) != value:
            return web.json_response({"error": {"message": "no such key"}}, status=401)
        if not quirks.query.items() <= dict(request.query).items():
            return web.json_response({"error": {"message": "no api-version"}}, status=404)
        if wrong := quirks.wrong(body):
            return web.json_response({"error": {"message": wrong}}, status=quirks.code)
        return web.json_response(_completion(quirks, body, answer))

    server.otherwise = act
    return server


def _completion(quirks: Quirks, body: Mapping[str, Any], answer: str) -> dict[str, Any]:
    seed = body.get(quirks.seed, 0) if quirks.seed else 0
    choices = [
        {
            "index": i,
            "finish_reason": quirks.end,
            "message": {"role": "assistant", "content": answer or f"judgment of seed {seed + i}"},
        }
        for i in range(min(body.get("n", 1), quirks.most))
    ]
    return {"choices": choices, "usage": {"prompt_tokens": 7, "completion_tokens": 6}}
