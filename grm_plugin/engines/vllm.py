"""The ``vllm`` engine: the judge in an asynchronous vLLM engine that this process owns."""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field

from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.errors import (
    ConfigError,
    EngineError,
    RequestTimeout,
    TransportError,
    not_installed,
    quoted,
)
from grm_plugin.local.chat import ChatEncoder, check_context
from grm_plugin.local.tokens import TokenReader
from grm_plugin.local.turns import System
from grm_plugin.options import Options, read_options
from grm_plugin.remote.slots import Slots
from grm_plugin.types import Message, Token

_OWNER = "engine 'vllm'"


class VLLMOptions(Options):
    """Options of the ``vllm`` engine; None leaves a setting to vLLM.

    Args:
        model: a folder, or the id of a model on the hub.
        tensor_parallel_size: GPUs that share the weights.
        gpu_memory_utilization: share of each GPU's memory that vLLM takes, 0..1.
        max_model_len: tokens of prompt and output together.
        dtype: such as ``bfloat16``; ``auto`` is the one the weights are stored in.
        enforce_eager: no compilation: starts faster, runs slower.
        enable_prefix_caching: compute a prefix that prompts share once.
        system: where the system turn of a prompt goes: ``turn`` keeps it, ``user`` puts its text
            in front of the user's turn, ``auto`` does so where the chat template has no place for
            it.
        extra: further arguments of vLLM's ``AsyncEngineArgs``.
    """

    model: str
    tensor_parallel_size: int = Field(1, ge=1)
    gpu_memory_utilization: float | None = Field(None, gt=0, le=1)
    max_model_len: int | None = Field(None, ge=1)
    dtype: str = "auto"
    enforce_eager: bool = False
    enable_prefix_caching: bool = True
    system: System = "auto"
    extra: Mapping[str, Any] = {}

    def arguments(self) -> dict[str, Any]:
        """What vLLM is started with.

        Raises:
            ConfigError: ``extra`` repeats a setting that has an option of its own.
        """
        own = self.model_dump(exclude={"extra", "system"}, exclude_none=True)
        twice = sorted((type(self).model_fields.keys() - {"extra"}) & set(self.extra))
        if twice:
            raise ConfigError(f"{_OWNER}: extra repeats {', '.join(twice)}; set it as an option")
        return {"disable_log_stats": True, **own, **self.extra}


class VLLMEngine:
    """Runs the judge with vLLM in this process and a core process of vLLM's own.

    Draw ``i`` of seed ``s`` equals a single draw of seed ``s + i``. Inside a trainer that uses
    vLLM itself, a judge of its own process (``engine: server``) is the safer choice. Probabilities
    of tokens are those of the model at temperature 1 unless ``extra`` sets another
    ``logprobs_mode``; vLLM tells at most 20 tokens a place unless it sets ``max_logprobs``.

    Args:
        options: see :class:`VLLMOptions`.
        limits: ``max_concurrent_samples`` counts draws; ``request_timeout_s`` counts from when
            vLLM has the request.

    Raises:
        ConfigError: an option is unknown or wrong.
    """

    Options = VLLMOptions
    context_tokens: int | None = None
    control_tokens: Sequence[str] = ()

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(VLLMOptions, _OWNER, options)
        self.model = self.options.model
        self._arguments = self.options.arguments()
        self._timeout_s = limits.request_timeout_s
        self._slots = Slots(limits.max_concurrent_samples)
        self._engine: Any = None
        self._ends: Mapping[int, str] = {}
        self._reader: TokenReader
        self._encoder: ChatEncoder

    async def start(self) -> None:
        """Load the model.

        Raises:
            EngineError: vLLM is missing, or can not start with these options.
        """
        self._engine = await asyncio.to_thread(self._load)
        found = self._engine.get_tokenizer()  # a coroutine in some versions
        tokenizer = await found if inspect.isawaitable(found) else found
        self._reader = TokenReader(tokenizer)
        self._encoder = ChatEncoder(tokenizer, self.options.system, _OWNER)
        self._ends = self._encoder.template.ends()
        self.control_tokens = self._encoder.control_tokens
        self.context_tokens = self._engine.model_config.max_model_len

    def _load(self) -> Any:
        try:
            from vllm import AsyncEngineArgs, AsyncLLMEngine
        except ImportError as error:
            raise not_installed(_OWNER, "vllm", error) from error
        try:
            return AsyncLLMEngine.from_engine_args(AsyncEngineArgs(**self._arguments))
        except Exception as error:  # a wall of its own: vLLM raises anything from TypeError up
            raise EngineError(
                f"{_OWNER}: vLLM can not start with model {self.model!r}: {quoted(error, 500)}"
            ) from error

    @property
    def altered(self) -> Mapping[str, Any]:
        """What the judge does not get as it was asked for: turns moved."""
        return self._encoder.template.altered if self._engine is not None else {}

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        """Draw ``request.n`` completions; cancelling aborts them in vLLM.

        Raises:
            ContextError: prompt and ``max_tokens`` are over the context.
            RequestTimeout: not finished in time.
            EngineError: vLLM refused the request, or died.
        """
        prompt = await self._encoded(request.messages)
        check_context(_OWNER, len(prompt), request.sampling.max_tokens, self.context_tokens)
        async with self._slots.hold(request.n):
            started = time.monotonic()
            output = await self._generated(prompt, request)
        seconds = time.monotonic() - started
        outputs = sorted(output.outputs, key=lambda one: int(one.index))
        draws = [self._draw(one, len(prompt), seconds) for one in outputs]
        return self._encoder.marked(request.messages, draws)

    def _draw(self, one: Any, prompt: int, seconds: float) -> Draw | EngineError:
        if one.finish_reason not in ("stop", "length"):
            return TransportError(f"{_OWNER}: a draw ended for the reason {one.finish_reason!r}")
        # an end token that is not flagged special has a text, which is none of the judge's
        text = one.text.removesuffix(self._ends.get(one.stop_reason, ""))
        told = self._told(one, text) if one.logprobs else ()
        return Draw(text, one.finish_reason, prompt, len(one.token_ids), seconds, told)

    def _told(self, one: Any, text: str) -> tuple[Token, ...]:
        places = [
            {token: float(told.logprob) for token, told in place.items()} for place in one.logprobs
        ]
        return self._reader.tokens(one.token_ids, text, places)

    async def _generated(self, prompt: list[int], request: SampleRequest) -> Any:
        """vLLM's one and final output of a request."""
        tokens = {"prompt_token_ids": prompt}
        try:
            stream = self._engine.generate(
                tokens, _parameters(request, self._ends), uuid.uuid4().hex
            )
            async with asyncio.timeout(self._timeout_s):
                *_, final = [output async for output in stream]
        except TimeoutError:
            raise RequestTimeout(f"{_OWNER}: not finished within {self._timeout_s:g} s") from None
        except Exception as error:  # see _load
            raise EngineError(f"{_OWNER}: the request failed: {quoted(error, 300)}") from error
        return final

    async def _encoded(self, messages: Sequence[Message]) -> list[int]:
        if self._engine is None:
            raise EngineError(f"{_OWNER} is not running; start it first")
        return await asyncio.to_thread(self._encoder.encode, messages)

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        """Prompt tokens of ``messages`` in the model's chat template."""
        return len(await self._encoded(messages))

    async def close(self) -> None:
        """End vLLM's core process."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await asyncio.to_thread(engine.shutdown)


def _parameters(request: SampleRequest, ends: Iterable[int]) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    sampling = request.sampling
    return SamplingParams(
        n=request.n,
        seed=request.seed,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        max_tokens=sampling.max_tokens,
        stop=list(sampling.stop),
        stop_token_ids=list(ends),
        logprobs=request.logprobs or None,
        # without it the draws of a request come one by one, and the last one hides the others
        output_kind=RequestOutputKind.FINAL_ONLY,
    )
