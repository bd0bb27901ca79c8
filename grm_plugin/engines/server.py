"""The ``server`` engine: the judge behind any OpenAI-compatible address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from grm_plugin.engine import Draw, Limits, SampleRequest, Sampling
from grm_plugin.engines.completions import read_draws
from grm_plugin.engines.cutting import CutPrompts
from grm_plugin.engines.marks import marks_in_the_frame
from grm_plugin.errors import ConfigError, EngineError, GRMError
from grm_plugin.options import read_options
from grm_plugin.remote.connection import Connection
from grm_plugin.remote.fields import NEUTRAL, NeutralFields
from grm_plugin.remote.http import Answer
from grm_plugin.remote.options import ConnectionOptions
from grm_plugin.remote.refusals import NotFound, Refused
from grm_plugin.types import Message

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
        extra_body: further fields of every request, such as ``{top_k: 20}``. Servers that are not
            ours are sent neutral values of ``top_k``, ``min_p`` and ``repetition_penalty``, since
            they may take others from the checkpoint's ``generation_config.json``; values here
            come first, and what a server refuses is left out.
        context_tokens: tokens of prompt and judgment together that the server can hold, where it
            does not tell that itself.
        control_tokens: texts that the judge's tokenizer takes for control tokens, besides the
            usual ones and those that the server shows at ``/tokenize``.
    """

    extra_body: Mapping[str, Any] = {}
    context_tokens: int | None = Field(None, ge=1)
    control_tokens: tuple[str, ...] = ()


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

    Options = ServerOptions
    context_tokens: int | None = None

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(ServerOptions, _OWNER, options)
        taken = sorted(_OURS & set(self.options.extra_body))
        if taken:
            raise ConfigError(f"{_OWNER}: extra_body must not set {', '.join(taken)}")
        self._connection = Connection(self.options, limits, _OWNER)
        self._fields = NeutralFields(NEUTRAL if self.options.serve else self.options.extra_body)
        self._cut_prompts = CutPrompts(self._told_tokens, _OWNER, self.options.context_tokens)
        self._tokenizes = True
        self.model = self._connection.model
        self.control_tokens: Sequence[str] = self.options.control_tokens

    async def start(self) -> None:
        """Start the server if it is ours, and check that one answers and serves the model."""
        await self._connection.start()
        self.model = self._connection.model
        known = (self._connection.context_tokens, self.options.context_tokens)
        self.context_tokens = min((one for one in known if one), default=None)
        try:
            shown = await marks_in_the_frame(self._connection)
        except BaseException:  # cancelled: never leave a server behind
            await self.close()
            raise
        self.control_tokens = tuple(dict.fromkeys((*self.options.control_tokens, *shown)))

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        """Draw ``request.n`` completions; cancelling closes the connection, which stops vLLM.

        Raises:
            TransportError: no usable answer.
            RequestTimeout: no answer in time.
            ContextError: the server says that the prompt is too long, or cut it without a word.
            EngineError: the server refused the request.
        """
        draws = read_draws(await self._complete(self._body(request), request.group), request)
        told = next((draw.prompt_tokens for draw in draws if isinstance(draw, Draw)), 0)
        await self._cut_prompts.check(request.messages, told, request.sampling.max_tokens)
        return draws

    async def _complete(self, body: dict[str, Any], group: str = "") -> Answer:
        refused: dict[str, str] = {}
        while True:
            fields = {key: one for key, one in self._fields.values.items() if key not in refused}
            try:
                answer = await self._connection.post(
                    "/v1/chat/completions", fields | body, group=group, draws=body["n"]
                )
            except Refused as refusal:
                name = self._fields.refused(fields, refusal)
                if not name:
                    raise
                refused[name] = refusal.said
            else:
                self._fields.leave_out(refused)
                return answer

    async def _told_tokens(self, messages: Sequence[Message]) -> int:
        """Prompt tokens that the server counts for ``messages``, at the price of one token."""
        request = SampleRequest(tuple(messages), 1, 0, Sampling(max_tokens=1))
        (draw,) = read_draws(await self._complete(self._body(request)), request)
        return draw.prompt_tokens if isinstance(draw, Draw) else 0

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

    async def turn(self) -> None:
        """Return when the servers can take the requests of another group."""
        await self._connection.turn()

    @property
    def trouble(self) -> str:
        """Why requests wait for the servers now; empty when they do not."""
        return self._connection.trouble

    async def check(self) -> None:
        """Ask the servers for a sign of life, without a token spent.

        Raises:
            EngineError: none of them gives one.
        """
        await self._connection.check()

    async def close(self) -> None:
        """Close the connections, and end the server if it is ours."""
        await self._connection.close()

    def abandon(self) -> None:
        """End a server of ours at once, from any thread: the event loop of this engine is lost."""
        self._connection.abandon()


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]
