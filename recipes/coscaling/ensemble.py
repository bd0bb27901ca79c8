"""The classifier ``ensemble``: the mean of several scalar RMs, each on its own scale."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from grm_plugin import hookimpl
from grm_plugin.classifiers import Answer, ClassifierFactory, Rating, Scaling, logit_of
from grm_plugin.classifiers.transformers import TransformersClassifier
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError
from grm_plugin.hookspecs import Register
from grm_plugin.options import Options, read_options
from grm_plugin.pipeline.classifying import tokens_of


class EnsembleOptions(Options):
    """Which models: ``{name: ensemble, models: [out/scalar/1, out/scalar/2]}``."""

    models: tuple[str, ...] = Field(min_length=2)


class Ensemble:
    """The mean of the scaled logits; a text that one of them can not rate has no logit.

    Args:
        options: see :class:`EnsembleOptions`.
        limits: of each of them.

    Raises:
        ConfigError: an option is unknown or of the wrong type.
    """

    Options = EnsembleOptions

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        chosen = read_options(EnsembleOptions, "classifier 'ensemble'", options)
        self._members = [TransformersClassifier({"model": one}, limits) for one in chosen.models]
        self.scaling = Scaling()
        self.control_tokens: Sequence[str] = ()

    @property
    def flops_per_token(self) -> float | None:
        """Of one of them: a token that all have read counts as often."""
        return self._members[0].flops_per_token

    async def start(self) -> None:
        """Start all of them."""
        await asyncio.gather(*(member.start() for member in self._members))
        self.control_tokens = self._members[0].control_tokens

    async def logits(self, texts: Sequence[str]) -> Sequence[Answer]:
        """The mean for each text, and what all of them read."""
        found = [await self._scaled(member, texts) for member in self._members]
        return [_mean(answers) for answers in zip(*found, strict=True)]

    async def close(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(member.close() for member in self._members))

    async def _scaled(self, member: TransformersClassifier, texts: Sequence[str]) -> list[Answer]:
        center, spread = member.scaling or Scaling()
        return [
            one
            if isinstance(logit := logit_of(one), EngineError)
            else Rating((logit - center) / spread, tokens_of([one]))
            for one in await member.logits(texts)
        ]


def _mean(answers: Sequence[Answer]) -> Answer:
    logits = []
    for one in map(logit_of, answers):
        if isinstance(one, EngineError):
            return one
        logits.append(one)
    return Rating(statistics.fmean(logits), tokens_of(answers))


@hookimpl
def grm_register_classifiers(register: Register[ClassifierFactory]) -> None:
    """Offer it."""
    register("ensemble", Ensemble)
