"""The ``transformers`` engine: the judge in this process, with no server and no vLLM."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grm_plugin.engine import Draw, Limits, SampleRequest
from grm_plugin.errors import EngineError, not_installed
from grm_plugin.local.batching import BatchWorker
from grm_plugin.local.chat import ChatEncoder, check_context
from grm_plugin.local.options import LocalJudgeOptions, Row
from grm_plugin.local.packing import USUAL_STEPS
from grm_plugin.options import read_options
from grm_plugin.types import Message

if TYPE_CHECKING:
    from grm_plugin.local.generation import Generator

_OWNER = "engine 'transformers'"


class TransformersEngine:
    """Runs the judge with ``model.generate``; everything that is pending shares batches.

    A draw depends on its prompt, its sampling and its seed, not on what else is in its batch.
    A batch takes at most ``batch_tokens`` (rows times the longest prompt plus ``max_tokens``) and
    at most ``request_timeout_s`` wall seconds, waiting not counted; prompts of unlike length share
    one only where padding costs less than a batch of their own. ``seconds`` of a draw are the wall
    seconds of its batch. Probabilities of tokens, where they are asked for, are those of the
    model at temperature 1, whatever was sampled with; they take one more pass over each finished
    text.

    Args:
        options: see :class:`grm_plugin.local.options.LocalJudgeOptions`.
        limits: only ``request_timeout_s`` matters here.

    Raises:
        ConfigError: an option is unknown or of the wrong type.
    """

    Options = LocalJudgeOptions
    context_tokens: int | None = None
    control_tokens: Sequence[str] = ()

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(LocalJudgeOptions, _OWNER, options)
        self.model = self.options.model
        self._limits = limits
        self._generator: Generator | None = None
        self._worker: BatchWorker[Row, Draw] | None = None

    async def start(self) -> None:
        """Load the model.

        Raises:
            EngineError: torch or transformers are missing, or the model can not be loaded.
        """
        self._generator = await asyncio.to_thread(self._load)
        self.context_tokens = self._generator.context_tokens
        self.control_tokens = self._generator.encoder.control_tokens
        device = self._generator.model.device.type
        self._worker = BatchWorker(
            self._generator.run,
            budget=self.options.batch_tokens,
            cost=self.options.batch_cost(device, USUAL_STEPS),
            owner=_OWNER,
        )

    @property
    def flops_per_token(self) -> float | None:
        """Twice the active parameters; None before the model is there."""
        return self._generator.flops_per_token if self._generator else None

    @property
    def altered(self) -> Mapping[str, Any]:
        """What the judge does not get as it was asked for: turns moved."""
        return self._generator.encoder.template.altered if self._generator else {}

    def _load(self) -> Generator:
        try:
            from grm_plugin.local.generation import Generator
        except ImportError as error:
            raise not_installed(_OWNER, "transformers", error) from error
        return Generator(self.options, _OWNER, self._limits.request_timeout_s)

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        """Draw ``request.n`` completions; cancelling drops them, also in the middle of a batch.

        Raises:
            ContextError: prompt and ``max_tokens`` are over the model's context.
            EngineError: the engine is not running.
        """
        prompt = await self._encoded(request.messages)
        max_tokens = request.sampling.max_tokens
        check_context(_OWNER, len(prompt), max_tokens, self.context_tokens)
        rows = [
            Row(prompt, request.seed + i, request.sampling, request.logprobs)
            for i in range(request.n)
        ]
        worker, encoder = self._running(), self._encoder()
        draws = await worker.results((row, len(prompt) + max_tokens) for row in rows)
        return encoder.marked(request.messages, draws)

    def _running(self) -> BatchWorker[Row, Draw]:
        if self._worker is None:
            raise EngineError(f"{_OWNER} is not running; start it first")
        return self._worker

    def _encoder(self) -> ChatEncoder:
        if self._generator is None:
            raise EngineError(f"{_OWNER} is not running; start it first")
        return self._generator.encoder

    async def _encoded(self, messages: Sequence[Message]) -> list[int]:
        return await asyncio.to_thread(self._encoder().encode, messages)

    async def count_tokens(self, messages: Sequence[Message]) -> int | None:
        """Prompt tokens of ``messages`` in the model's chat template."""
        return len(await self._encoded(messages))

    async def close(self) -> None:
        """End the worker and let go of the model."""
        worker, self._worker, self._generator = self._worker, None, None
        if worker is not None:
            await worker.close()
