"""The ``litellm`` engine: the judge at any of the providers that the litellm library speaks to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from pydantic import Field

from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.engines.completions import read_draws
from grm_plugin.engines.gathering import gathered
from grm_plugin.engines.harmless import Harmless, Minds
from grm_plugin.engines.litellm_calls import Caller
from grm_plugin.engines.litellm_library import altered, imported, keys_of_the_environment
from grm_plugin.engines.litellm_prices import cost_of, prices_of
from grm_plugin.errors import ConfigError, DeclinedError, EngineError, RefusedError
from grm_plugin.options import Options, read_options
from grm_plugin.prices import Prices
from grm_plugin.remote.http import Answer
from grm_plugin.remote.pace import Pace
from grm_plugin.remote.refusing.refusals import Refused
from grm_plugin.remote.replicas import Replica
from grm_plugin.remote.secret import Hiding, Secret
from grm_plugin.remote.wire import json_value
from grm_plugin.types import Message

_OWNER = "engine 'litellm'"
_OURS = frozenset(
    (
        *("model", "messages", "n", "seed", "temperature", "top_p", "max_tokens", "stop", "stream"),
        *("logprobs", "top_logprobs", "api_base", "api_key", "timeout", "num_retries", "logger_fn"),
    )
)
_ADVICE = "take out or change what it names, or name another model"


class LiteLLMOptions(Options):
    """Options of the ``litellm`` engine.

    Args:
        model: as litellm calls it, provider first, such as ``openrouter/deepseek/deepseek-r1``.
        url: address of the provider, where it is not the usual one.
        api_key_env: name of the environment variable that holds the key; None: the one that litellm
            knows for the provider.
        arguments: further ones of ``litellm.acompletion``, such as ``{reasoning_effort: low}``.
        requests_per_minute: most requests that this process makes in a minute; None: as many as
            the provider takes, and fewer when it says that it is too much.
        context_tokens: tokens of prompt and judgment together that the judge can hold.
        control_tokens: texts that the judge's tokenizer takes for control tokens, besides the
            usual ones.
    """

    model: str
    url: str | None = None
    api_key_env: str | None = None
    arguments: Mapping[str, Any] = {}
    requests_per_minute: int | None = Field(None, ge=1)
    context_tokens: int | None = Field(None, ge=1)
    control_tokens: tuple[str, ...] = ()


class LiteLLMEngine:
    """Asks for every draw by itself, whatever the provider makes of ``n``.

    What a provider does not take (a seed, say) litellm leaves out, and verdicts say so (``altered``
    in their origin). A provider that is busy or not there is waited for, as the ``server`` engine
    does; other faults are tried ``limits.tries`` times. The money is what the provider tells, else
    what litellm's own table of prices says, which comes with the library: nothing is fetched for
    it.

    Args:
        options: see :class:`LiteLLMOptions`.
        limits: what must not be exceeded.

    Raises:
        ConfigError: an option is unknown, missing or wrong.
    """

    Options = LiteLLMOptions
    prices: Prices | None = None
    most_draws = 1

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(LiteLLMOptions, _OWNER, options)
        taken = sorted(_OURS & set(self.options.arguments))
        if taken:
            raise ConfigError(f"{_OWNER}: arguments must not set {', '.join(taken)}")
        self._secret = Secret.from_environment(self.options.api_key_env, _OWNER)
        self._limits = limits
        self._hiding = Hiding([self._secret.value, *keys_of_the_environment()])
        self._harmless = Harmless(self._asked)
        self._litellm: ModuleType | None = None
        self._caller: Caller | None = None
        self.altered: Mapping[str, Any] = {}
        self.model = self.options.model
        self.context_tokens = self.options.context_tokens
        self.control_tokens: Sequence[str] = self.options.control_tokens

    async def start(self) -> None:
        """Import litellm and look up what the model costs.

        Raises:
            EngineError: litellm is not installed.
        """
        self._litellm = await asyncio.to_thread(imported)
        self._caller = Caller(
            self._litellm.acompletion,
            self._limits,
            Pace(self.options.requests_per_minute),
            f"{_OWNER}: {self.model}",
            self._hiding.text,
        )
        self.altered = altered(self._litellm, self.model)
        self.prices = prices_of(self._litellm.model_cost, self.model)

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        """Draw ``request.n`` completions, each with a request of its own.

        Raises:
            ContextError: the prompt is too long for the judge.
            EngineError: the engine is not running.
        """
        return await gathered(self._draw(_only(request, i)) for i in range(request.n))

    async def turn(self) -> None:
        """Return when the requests of another group can be sent."""
        await self._calls().turn()

    @property
    def trouble(self) -> str:
        """Why requests wait now; empty when they do not."""
        return self._caller.trouble if self._caller else ""

    def _calls(self) -> Caller:
        if self._caller is None:
            raise EngineError(f"{_OWNER} is not running; start it first")
        return self._caller

    async def _draw(self, request: SampleRequest) -> Draw | EngineError:
        try:
            answer, seconds = await self._complete(request)
            (draw,) = read_draws(Answer(self._told(answer), seconds), request)
        except EngineError as error:
            return error
        return self._with_money(answer, draw)

    async def _complete(self, request: SampleRequest) -> tuple[Any, float]:
        """The answer to a request that the provider takes, or to one whose text it minds."""
        try:
            answer = await self._asked(request)
        except Refused as refusal:
            raise await self._blamed(refusal, request) from refusal
        self._harmless.answered(request, None)
        return answer

    async def _blamed(self, refusal: Refused, request: SampleRequest) -> EngineError:
        minds = await self._harmless.minds(request, None)
        if minds is Minds.UNKNOWN:
            return refusal
        if minds is Minds.TEXT:
            return DeclinedError(f"{refusal}; with another text the provider takes such a request")
        return RefusedError(f"{refusal}; {_ADVICE}")

    async def _asked(
        self, request: SampleRequest, only: Replica | None = None
    ) -> tuple[Any, float]:
        return await self._calls().call(self._arguments(request))

    def _told(self, answer: Any) -> Any:
        """What the provider sent, without keys."""
        raw = isinstance(answer, str)
        written = answer if raw else json.dumps(answer.model_dump(), default=str)
        return json_value(self._hiding.content(written.encode(errors="replace")))

    def _with_money(self, answer: Any, draw: Draw | EngineError) -> Draw | EngineError:
        """``draw`` with what litellm reckons that it cost, where the provider told nothing."""
        told = draw.money is not None or not draw.prompt_tokens
        if self._litellm is None or told or isinstance(answer, str):
            return draw
        money = cost_of(self._litellm, self.model, answer)
        if isinstance(draw, Draw):
            return replace(draw, money=money)
        draw.money = money
        return draw

    def _arguments(self, request: SampleRequest) -> dict[str, Any]:
        sampling = request.sampling
        arguments: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": one.role, "content": one.content} for one in request.messages],
            "seed": request.seed,
            "temperature": sampling.temperature,
            "max_tokens": sampling.max_tokens,
            "drop_params": True,
            "num_retries": 0,
            "max_retries": 0,
        }
        if sampling.top_p < 1:  # some take one of the two
            arguments["top_p"] = sampling.top_p
        if sampling.stop:
            arguments["stop"] = list(sampling.stop)
        if request.logprobs:
            arguments |= {"logprobs": True, "top_logprobs": request.logprobs}
        if self.options.url:
            arguments["api_base"] = self.options.url
        if self._secret.value:
            arguments["api_key"] = self._secret.value
        return arguments | dict(self.options.arguments)

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return None

    async def close(self) -> None:
        """Forget the library; it closes its connections itself, when the interpreter ends."""
        self._litellm = self._caller = None


def _only(request: SampleRequest, i: int) -> SampleRequest:
    """The request for draw ``i`` of those of ``request``."""
    return replace(request, n=1, seed=request.seed + i, first=request.first + i)
