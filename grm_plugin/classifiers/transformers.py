"""The meta RM, or a scalar RM, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grm_plugin.classifiers import (
    Answer,
    Rating,
    Scaling,
    scaling_beside,
    template_beside,
)
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError, not_installed
from grm_plugin.local.batching import BatchWorker
from grm_plugin.local.options import ClassifierOptions
from grm_plugin.local.renewing import Renewing
from grm_plugin.options import read_options
from grm_plugin.types import Message

if TYPE_CHECKING:
    from grm_plugin.local.sequence import SequenceModel

_OWNER = "classifier 'transformers'"


class TransformersClassifier:
    """Batches pending texts of like length and runs them in a thread.

    Args:
        options: see :class:`grm_plugin.local.options.ClassifierOptions`.
        limits: nothing of it matters here: a batch is one pass over the texts.

    Raises:
        ConfigError: an option is unknown or of the wrong type.
    """

    Options = ClassifierOptions

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(ClassifierOptions, _OWNER, options)
        model = Path(self.options.model).expanduser()
        self.template = template_beside(self.options.model)
        # of versions, what their ratings say holds
        self.scaling = None if self.options.reload else scaling_beside(self.options.model)
        self._version, self._version_scaling = "", self.scaling
        self._versions = Renewing(model, self._renew, _OWNER) if self.options.reload else None
        self.control_tokens: Sequence[str] = ()
        self._model: SequenceModel | None = None
        self._worker: BatchWorker[list[int], float] | None = None

    async def start(self) -> None:
        self._model = await asyncio.to_thread(self._loaded)
        self.control_tokens = self._model.control_tokens
        self._worker = BatchWorker(
            self._model.run,
            budget=self.options.batch_tokens,
            cost=self.options.batch_cost(self._model.model.device.type, steps=1),
            owner=_OWNER,
        )

    def _loaded(self) -> SequenceModel:
        try:
            from grm_plugin.local.sequence import SequenceModel
        except ImportError as error:
            raise not_installed(_OWNER, "transformers", error) from error
        if self._versions is None:
            return SequenceModel(self.options, _OWNER)
        folder = self._versions.begin()
        found = SequenceModel(self._options_of(folder), _OWNER)
        self.template = template_beside(str(folder))
        self._note(folder, scaling_beside(str(folder)))
        return found

    @property
    def flops_per_token(self) -> float | None:
        """Twice the active parameters; None before the model is there."""
        return self._model.flops_per_token if self._model else None

    def _renew(self, folder: Path) -> None:
        scaling = scaling_beside(str(folder))
        self._running.renew(self._options_of(folder))
        self._note(folder, scaling)

    def _options_of(self, folder: Path) -> ClassifierOptions:
        return self.options.model_copy(update={"model": str(folder)})

    def _note(self, folder: Path, scaling: Scaling | None) -> None:
        self._version, self._version_scaling = folder.name, scaling

    async def logits(self, texts: Sequence[str]) -> Sequence[Answer]:
        return await self._rated(self._running.encode, texts)

    async def logits_of_conversations(
        self, conversations: Sequence[Sequence[Message]]
    ) -> Sequence[Rating | EngineError]:
        """As :meth:`grm_plugin.classifiers.ConversationClassifier.logits_of_conversations`."""
        return await self._rated(self._running.encode_conversations, conversations)

    @property
    def _running(self) -> SequenceModel:
        if self._model is None or self._worker is None:
            raise EngineError(f"{_OWNER} is not running; start it first")
        return self._model

    async def _rated(
        self, encode: Callable[[Any], list[list[int]]], texts: Sequence[Any]
    ) -> list[Rating | EngineError]:
        rows, worker = await asyncio.to_thread(encode, texts), self._worker
        refusals = [self._refusal(row) for row in rows]
        fits = [row for row, refusal in zip(rows, refusals, strict=True) if not refusal]
        if worker is None:
            raise EngineError(f"{_OWNER} was closed before this was done")
        async with self._versions.in_use() if self._versions else nullcontext():
            results = iter(await worker.results((row, len(row)) for row in fits))
            return [
                refusal or self._rating(next(results), len(row))
                for row, refusal in zip(rows, refusals, strict=True)
            ]

    def _refusal(self, row: Sequence[int]) -> EngineError | None:
        """Why a text can not be rated; None where it can."""
        limit = self._running.context_tokens
        if limit is not None and len(row) > limit:
            return EngineError(
                f"{_OWNER}: a text of {len(row)} tokens is over the context of {limit}"
            )
        known = self._running.vocabulary
        if row and max(row) >= known:
            return EngineError(
                f"{_OWNER}: its tokenizer writes token {max(row)}, and the model knows {known} "
                "tokens; expected the tokenizer that the model was trained with"
            )
        return None

    async def close(self) -> None:
        worker, self._worker, self._model = self._worker, None, None
        if self._versions:
            await self._versions.close()
        if worker is not None:
            await worker.close()

    def _rating(self, result: float | EngineError, tokens: int) -> Rating | EngineError:
        if isinstance(result, EngineError):
            return result
        return Rating(result, tokens, self._version, self._version_scaling)
