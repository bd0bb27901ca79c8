"""The ``server`` engine: the judge behind any OpenAI-compatible address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from grm_plugin.engine import Draw, Limits, SampleRequest, Sampling
from grm_plugin.engines.asking import Asking
from grm_plugin.engines.completions import read_draws
from grm_plugin.engines.cutting import CutPrompts
from grm_plugin.engines.gathering import gathered
from grm_plugin.errors import EngineError, GRMError
from grm_plugin.options import read_options
from grm_plugin.remote.connection import Connection
from grm_plugin.remote.fields import RequestShape
from grm_plugin.remote.marks import marks_in_the_frame
from grm_plugin.remote.options import ConnectionOptions
from grm_plugin.remote.refusing.refusals import NotFound
from grm_plugin.types import Message

_OWNER = "engine 'server'"


class ServerOptions(ConnectionOptions):
    """Options of the ``server`` engine.

    Args:
        fields: other names of a request's fields; None leaves one out:
            ``{max_tokens: max_completion_tokens, seed: null}``. Fields are ``n``, ``seed``,
            ``temperature``, ``top_p``, ``max_tokens``, ``stop``, ``logprobs``, ``top_logprobs``,
            ``top_k``, ``min_p`` and ``repetition_penalty``. What a server refuses by name is
            learned where nothing is lost by it.
        system: where the system turn of a prompt goes: ``turn`` keeps it, ``user`` puts its text
            in front of the user's turn, ``auto`` does so where the server takes no system turn.
        extra_body: further fields of every request, such as ``{top_k: 20}``. Servers that are not
            ours are sent neutral values of ``top_k``, ``min_p`` and ``repetition_penalty``, since
            they may take others from the checkpoint's ``generation_config.json``; values here
            come first, and what a server refuses is left out.
        context_tokens: tokens of prompt and judgment together that the server can hold, where it
            does not tell that itself.
        control_tokens: texts that the judge's tokenizer takes for control tokens, besides the
            usual ones and those that the server shows at ``/tokenize``.
        warm_up: the first request of a prompt goes ahead, and the others follow when it is
            answered; each order in which a group is shown is a prompt of its own.
            For providers that give a prefix for less only once they have answered a request that
            began with it; vLLM shares what it is only reading, and needs none.
    """

    fields: Mapping[str, str | None] = {}
    system: Literal["auto", "turn", "user"] = "auto"
    extra_body: Mapping[str, Any] = {}
    context_tokens: int | None = Field(None, ge=1)
    control_tokens: tuple[str, ...] = ()
    warm_up: bool = False


class ServerEngine:
    """Asks one or more servers for chat completions, with one POST for n draws where they can.

    ``limits.max_concurrent_samples`` counts draws, since each is a sequence on the server, and
    ``limits.request_timeout_s`` counts from the first sending. On vLLM draw ``i`` of seed ``s``
    equals a single draw of seed ``s + i``; other servers may see to seeds as they like. A server
    that gives fewer draws at a time is asked again, with the seeds of those that lack. Servers tell
    output tokens per request only: they are shared evenly among its draws. Probabilities of
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
        self._connection = Connection(self.options, limits, _OWNER)
        self.start_limit_s = self.options.start_limit_s
        provider = self._connection.provider
        self._shape = RequestShape(
            provider,
            self.options.fields,
            self.options.extra_body,
            neutral=not self.options.serve,
            system=self.options.system,
            owner=_OWNER,
        )
        self._asking = Asking(self._connection, self._shape, warm_up=self.options.warm_up)
        self._cut_prompts = CutPrompts(self._told_tokens, _OWNER, self.options.context_tokens)
        self._tokenizes = provider.lists  # nobody else has /tokenize
        self.model = self._connection.model
        self.control_tokens: Sequence[str] = self.options.control_tokens

    async def start(self) -> None:
        """Start the server if it is ours, and check that one answers and serves the model."""
        await self._connection.start()
        self.model = self._connection.model
        known = (self._connection.context_tokens, self.options.context_tokens)
        self.context_tokens = min((one for one in known if one), default=None)
        try:
            shown = await marks_in_the_frame(self._connection) if self._tokenizes else ()
        except BaseException:  # cancelled: never leave a server behind
            await self.close()
            raise
        self.control_tokens = tuple(dict.fromkeys((*self.options.control_tokens, *shown)))

    @property
    def altered(self) -> Mapping[str, Any]:
        """What the judge does not get as it was asked for: fields not sent, turns moved."""
        return self._shape.altered

    @property
    def most_draws(self) -> float:
        """Draws that one request to a server brings, as far as is known."""
        return self._shape.most_draws

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        """Draw ``request.n`` completions; cancelling closes the connection, which stops vLLM.

        Raises:
            TransportError: no usable answer.
            RequestTimeout: no answer in time.
            ContextError: the server says that the prompt is too long, or cut it without a word.
            RefusedError: the server takes no request like ours.
            DeclinedError: the server takes no request with this text.
        """
        draws = await self._drawn(request)
        told = next((draw.prompt_tokens for draw in draws if isinstance(draw, Draw)), 0)
        await self._cut_prompts.check(request.messages, told, request.sampling.max_tokens)
        return draws

    async def _drawn(self, request: SampleRequest) -> list[Draw | EngineError]:
        """The draws of a request, in as many POSTs as the server needs for them."""
        if self._shape.most_draws < request.n:
            return await self._in_parts(request, int(self._shape.most_draws))
        draws = read_draws(await self._asking.answer(request), request)
        if len(draws) < request.n:
            self._shape.gave(len(draws), request.n)
            draws += await self._part(_from(request, len(draws), request.n))
        return draws

    async def _in_parts(self, request: SampleRequest, most: int) -> list[Draw | EngineError]:
        parts = [
            _from(request, start, min(start + most, request.n))
            for start in range(0, request.n, most)
        ]
        return [draw for part in await gathered(map(self._part, parts)) for draw in part]

    async def _part(self, request: SampleRequest) -> list[Draw | EngineError]:
        """Draws of a request in parts; what fails one of them costs the others nothing."""
        try:
            return await self._drawn(request)
        except EngineError as error:
            return [error] * request.n

    async def _told_tokens(self, messages: Sequence[Message]) -> int:
        """Prompt tokens that the server counts for ``messages``, at the price of one token."""
        request = SampleRequest(tuple(messages), 1, 0, Sampling(max_tokens=1))
        (draw,) = read_draws(await self._asking.answer(request), request)
        return draw.prompt_tokens if isinstance(draw, Draw) else 0

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        """Prompt tokens by vLLM's ``/tokenize``; None where there is none, or it did not answer."""
        if not self._tokenizes:
            return None
        body = {"model": self.model, "messages": self._shape.turns(messages)}
        try:
            answer = await self._connection.post("/tokenize", body)
            count = answer.value["count"]
            return count if type(count) is int and count >= 0 else None
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


def _from(request: SampleRequest, start: int, end: int) -> SampleRequest:
    """The part of a request that brings its draws ``start`` to ``end``."""
    return replace(request, n=end - start, seed=request.seed + start, first=request.first + start)
