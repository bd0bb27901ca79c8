"""The meta RM in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grm_plugin.classifiers import template_beside
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError, not_installed
from grm_plugin.local.batching import BatchWorker
from grm_plugin.local.options import LocalModelOptions
from grm_plugin.options import read_options

if TYPE_CHECKING:
    from grm_plugin.local.sequence import SequenceModel

_OWNER = "classifier 'transformers'"


class TransformersClassifier:
    """Batches pending texts of like length and runs them in a thread.

    Args:
        options: see :class:`grm_plugin.local.options.LocalModelOptions`.
        limits: nothing of it matters here: a batch is one pass over the texts.

    Raises:
        ConfigError: an option is unknown or of the wrong type.
    """

    Options = LocalModelOptions

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(LocalModelOptions, _OWNER, options)
        self.template = template_beside(self.options.model)
        self._model: SequenceModel | None = None
        self._worker: BatchWorker[list[int], float] | None = None

    async def start(self) -> None:
        self._model = await asyncio.to_thread(self._load)
        self._worker = BatchWorker(
            self._model.run,
            budget=self.options.batch_tokens,
            cost=self.options.batch_cost(self._model.model.device.type, steps=1),
            owner=_OWNER,
        )

    def _load(self) -> SequenceModel:
        try:
            from grm_plugin.local.sequence import SequenceModel
        except ImportError as error:
            raise not_installed(_OWNER, "transformers", error) from error
        return SequenceModel(self.options, _OWNER)

    async def logits(self, texts: Sequence[str]) -> Sequence[float | EngineError]:
        if self._model is None or self._worker is None:
            raise EngineError(f"{_OWNER} is not running; start it first")
        rows = await asyncio.to_thread(self._model.encode, texts)
        found: list[float | EngineError] = [self._refusal(len(row)) for row in rows]
        fits = [i for i, row in enumerate(rows) if self._fits(len(row))]
        results = await self._worker.results((rows[i], len(rows[i])) for i in fits)
        for i, result in zip(fits, results, strict=True):
            found[i] = result
        return found

    def _fits(self, tokens: int) -> bool:
        limit = self._model.context_tokens if self._model else None
        return limit is None or tokens <= limit

    def _refusal(self, tokens: int) -> EngineError:
        limit = self._model.context_tokens if self._model else None
        return EngineError(f"{_OWNER}: a text of {tokens} tokens is over the context of {limit}")

    async def close(self) -> None:
        worker, self._worker, self._model = self._worker, None, None
        if worker is not None:
            await worker.close()
