"""The ``server`` engine: the judge behind any OpenAI-compatible address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from grm_plugin.engine import Limits, SampleRequest
from grm_plugin.errors import ConfigError, EngineError, GRMError, TransportError, quoted
from grm_plugin.local.tokens import aligned, merged
from grm_plugin.options import read_options
from grm_plugin.remote.connection import Connection, ConnectionOptions
from grm_plugin.remote.http import Answer, NotFound
from grm_plugin.types import Draw, Message, Token

_OWNER = "engine 'server'"
_OURS = frozenset(
    (
        *("model", "messages", "n", "seed", "temperature", "top_p", "max_tokens", "stop"),
        *("stream", "logprobs", "top_logprobs"),
    )
)


class ServerOptions(ConnectionOptions):
    """Options of the ``server`` engine.

    Args:
        extra_body: further fields of every request, such as ``{top_k: 20}``.
    """

    extra_body: Mapping[str, Any] = {}


class ServerEngine:
    """Asks one or more servers for chat completions, with one POST per request for n draws.

    ``limits.max_concurrent_samples`` counts draws, since each is a sequence on the server, and
    ``limits.request_timeout_s`` counts from the first sending. On vLLM draw ``i`` of seed ``s``
    equals a single draw of seed ``s + i``; other servers may see to seeds as they like. Servers
    tell output tokens per request only: they are shared evenly among its draws. Probabilities of
    tokens are what the server means by ``logprobs``: on vLLM those of the model at temperature 1,
    unless it was started with another ``--logprobs-mode``; most servers tell at most 20 a place.

    Args:
        options: see :class:`ServerOptions` and its parent.
        limits: what must not be exceeded.

    Raises:
        ConfigError: an option is unknown, missing or wrong.
    """

    context_tokens: int | None = None

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(ServerOptions, _OWNER, options)
        taken = sorted(_OURS & set(self.options.extra_body))
        if taken:
            raise ConfigError(f"{_OWNER}: extra_body must not set {', '.join(taken)}")
        self._connection = Connection(self.options, limits, _OWNER)
        self._tokenizes = True
        self.model = self._connection.model

    async def start(self) -> None:
        """Start the server if it is ours, and check that one answers and serves the model."""
        await self._connection.start()
        self.model = self._connection.model
        self.context_tokens = self._connection.context_tokens

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        """Draw ``request.n`` completions; cancelling closes the connection, which stops vLLM.

        Raises:
            TransportError: no usable answer.
            RequestTimeout: no answer in time.
            ContextError: the server says that the prompt is too long.
            EngineError: the server refused the request.
        """
        answer = await self._connection.post(
            "/v1/chat/completions", self._body(request), group=request.group, draws=request.n
        )
        return _draws(answer, request)

    def _body(self, request: SampleRequest) -> dict[str, Any]:
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self.model,
            "messages": _turns(request.messages),
            "n": request.n,
            "seed": request.seed,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if request.logprobs:
            body |= {"logprobs": True, "top_logprobs": request.logprobs}
        return body | dict(self.options.extra_body)

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        """Prompt tokens by vLLM's ``/tokenize``; None where there is none, or it did not answer."""
        if not self._tokenizes:
            return None
        body = {"model": self.model, "messages": _turns(messages)}
        try:
            answer = await self._connection.post("/tokenize", body)
            return int(answer.value["count"])
        except NotFound:
            self._tokenizes = False
        except (GRMError, KeyError, TypeError, ValueError):
            pass  # counting is a service; the request itself will meet and tell the trouble
        return None

    async def check(self) -> None:
        """Ask the servers for a sign of life, without a token spent.

        Raises:
            EngineError: none of them gives one.
        """
        await self._connection.check()

    async def close(self) -> None:
        """Close the connections, and end the server if it is ours."""
        await self._connection.close()


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _draws(answer: Answer, request: SampleRequest) -> list[Draw | EngineError]:
    """The draws in an answer, by index."""
    n = request.n
    try:
        found = sorted(answer.value["choices"], key=lambda choice: int(choice.get("index", 0)))
        usage = answer.value.get("usage") or {}
        prompt, output = (int(usage.get(f"{k}_tokens") or 0) for k in ("prompt", "completion"))
        if len(found) != n:
            raise TransportError(f"expected {n} choices from the judge server, got {len(found)}")
        draws = [_draw(choice, logprobs=bool(request.logprobs)) for choice in found]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise TransportError(
            f"expected a chat completion from the judge server, got {quoted(answer.value, 300)}"
        ) from None
    shares = [output // n + (i < output % n) for i in range(n)]
    return [
        replace(draw, prompt_tokens=prompt, output_tokens=share, seconds=answer.seconds)
        if isinstance(draw, Draw)
        else draw
        for draw, share in zip(draws, shares, strict=True)
    ]


def _draw(choice: Mapping[str, Any], *, logprobs: bool) -> Draw | EngineError:
    reason = choice.get("finish_reason")
    if reason not in ("stop", "length"):
        return TransportError(f"the judge server ended a draw for the reason {quoted(reason)}")
    text = _text(choice["message"])
    if not logprobs:
        return Draw(text, reason)
    told = (choice.get("logprobs") or {}).get("content")
    if told is None:
        return TransportError(
            "the judge server was asked for the probabilities of tokens (logprobs) and told none"
        )
    return Draw(text, reason, tokens=aligned([_token(one) for one in told], text))


def _token(told: Mapping[str, Any]) -> Token:
    top = ((str(one["token"]), float(one["logprob"])) for one in told.get("top_logprobs") or ())
    text, logprob = str(told["token"]), float(told["logprob"])
    return Token(text, logprob, {text: logprob, **merged(top)})


def _text(message: Mapping[str, Any]) -> str:
    """The whole text, with what the server took out as thinking put back in its marks."""
    content = message.get("content") or ""
    thinking = message.get("reasoning_content") or message.get("reasoning")
    if not all(isinstance(part, str) for part in (content, thinking or "")):
        raise TypeError("content that is not text")
    return f"<think>{thinking}</think>{content}" if thinking else content
