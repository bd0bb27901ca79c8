"""The ``litellm`` engine: the judge at any of the providers that the litellm library speaks to."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from pydantic import Field

from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.engines.completions import read_draws
from grm_plugin.engines.litellm_errors import Fault, Misfit, understood
from grm_plugin.engines.litellm_prices import prices_of, with_money
from grm_plugin.errors import (
    ConfigError,
    EngineError,
    RefusedError,
    RequestTimeout,
    TransportError,
    not_installed,
)
from grm_plugin.options import Options, read_options
from grm_plugin.prices import Prices
from grm_plugin.remote.http import Answer
from grm_plugin.remote.secret import Secret
from grm_plugin.remote.slots import Slots
from grm_plugin.types import Message

_OWNER = "engine 'litellm'"
_OURS = frozenset(
    (
        *("model", "messages", "n", "seed", "temperature", "top_p", "max_tokens", "stop", "stream"),
        *("logprobs", "top_logprobs", "api_base", "api_key", "timeout", "num_retries"),
    )
)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 20.0


class LiteLLMOptions(Options):
    """Options of the ``litellm`` engine.

    Args:
        model: as litellm calls it, provider first, such as ``openrouter/deepseek/deepseek-r1``.
        url: address of the provider, where it is not the usual one.
        api_key_env: name of the environment variable that holds the key; None: the one that litellm
            knows for the provider.
        arguments: further ones of ``litellm.acompletion``, such as ``{reasoning_effort: low}``.
        context_tokens: tokens of prompt and judgment together that the judge can hold.
        control_tokens: texts that the judge's tokenizer takes for control tokens, besides the
            usual ones.
    """

    model: str
    url: str | None = None
    api_key_env: str | None = None
    arguments: Mapping[str, Any] = {}
    context_tokens: int | None = Field(None, ge=1)
    control_tokens: tuple[str, ...] = ()


class LiteLLMEngine:
    """Asks for every draw by itself, whatever the provider makes of ``n``.

    What a provider does not take (a seed, say) litellm leaves out. A provider that is busy is
    waited for until ``limits.request_timeout_s``; other faults are tried ``limits.tries`` times.
    The money is what the provider tells, else what litellm's own table of prices says, which comes
    with the library: nothing is fetched for it.

    Args:
        options: see :class:`LiteLLMOptions`.
        limits: what must not be exceeded.

    Raises:
        ConfigError: an option is unknown, missing or wrong.
    """

    Options = LiteLLMOptions
    prices: Prices | None = None

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(LiteLLMOptions, _OWNER, options)
        taken = sorted(_OURS & set(self.options.arguments))
        if taken:
            raise ConfigError(f"{_OWNER}: arguments must not set {', '.join(taken)}")
        self._secret = Secret.from_environment(self.options.api_key_env, _OWNER)
        self._limits, self._slots = limits, Slots(limits.max_concurrent_samples)
        self._litellm: ModuleType | None = None
        self._answered = False
        self.model = self.options.model
        self.context_tokens = self.options.context_tokens
        self.control_tokens: Sequence[str] = self.options.control_tokens

    async def start(self) -> None:
        """Import litellm and look up what the model costs.

        Raises:
            EngineError: litellm is not installed.
        """
        self._litellm = await asyncio.to_thread(_imported)
        self.prices = prices_of(self._litellm.model_cost, self.model)

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        """Draw ``request.n`` completions, each with a request of its own.

        Raises:
            ContextError: the prompt is too long for the judge.
            EngineError: the engine is not running.
        """
        if self._litellm is None:
            raise EngineError(f"{_OWNER} is not running; start it first")
        draws = [self._draw(self._litellm, request, i) for i in range(request.n)]
        return await asyncio.gather(*draws)

    async def _draw(
        self, litellm: ModuleType, request: SampleRequest, i: int
    ) -> Draw | EngineError:
        async with self._slots.hold(1):
            started = time.monotonic()
            try:
                answer = await self._answer(litellm, self._arguments(request, i))
                value = await asyncio.to_thread(answer.model_dump)
                (draw,) = read_draws(Answer(value, time.monotonic() - started), _single(request, i))
            except EngineError as error:
                return error
            self._answered = True
            return with_money(litellm, self.model, answer, draw) if isinstance(draw, Draw) else draw

    def _arguments(self, request: SampleRequest, i: int) -> dict[str, Any]:
        sampling = request.sampling
        arguments: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": one.role, "content": one.content} for one in request.messages],
            "seed": request.seed + i,
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

    async def _answer(self, litellm: ModuleType, arguments: Mapping[str, Any]) -> Any:
        """What the provider answers within the deadline.

        Raises:
            ContextError, DeclinedError, RefusedError, RequestTimeout, TransportError: it does not.
        """
        until, said = time.monotonic() + self._limits.request_timeout_s, ""
        tries, pause_s = 1, _FIRST_PAUSE_S
        while (left_s := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left_s):
                    return await litellm.acompletion(timeout=left_s, **arguments)
            except TimeoutError:
                break
            except Exception as error:
                fault = self._understood(error)
            tries, said = tries + (not fault.busy), str(fault)
            if tries > self._limits.tries:
                raise TransportError(f"{said} (gave up after {self._limits.tries} tries)")
            asked_s = pause_s if fault.retry_after_s is None else fault.retry_after_s
            await asyncio.sleep(min(asked_s, max(0.0, until - time.monotonic())))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        last = f"; last: {said}" if said else "; raise request_timeout_s"
        raise RequestTimeout(
            f"{self.model}: no answer within {self._limits.request_timeout_s:g} s{last}"
        )

    def _understood(self, error: Exception) -> Fault:
        """A fault that another try may not meet; raises what none would help against."""
        found = understood(error, self._secret.hide(str(error)))
        if isinstance(found, Fault):
            return found
        if isinstance(found, Misfit) and not self._answered:
            raise RefusedError(f"{found}; take out or change what it names") from error
        raise found from error

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return None

    async def close(self) -> None:
        """Forget the library; it closes its connections itself, when the interpreter ends."""
        self._litellm = None


def _imported() -> ModuleType:
    """litellm, without what it fetches, prints and logs by itself."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        import litellm
    except ImportError as error:
        raise not_installed(_OWNER, "litellm", error) from error
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    module: ModuleType = litellm
    return module


def _single(request: SampleRequest, i: int) -> SampleRequest:
    return SampleRequest(
        request.messages, 1, request.seed + i, request.sampling, logprobs=request.logprobs
    )
