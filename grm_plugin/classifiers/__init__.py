"""Where a meta RM runs: text in, one logit out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from grm_plugin.engines.engine import Limits
from grm_plugin.errors import EngineError


class Classifier(Protocol):
    """A sequence classifier with one output."""

    async def start(self) -> None: ...

    async def logits(self, texts: Sequence[str]) -> Sequence[float | EngineError]: ...

    async def close(self) -> None: ...


def make_classifier(options: Mapping[str, Any], limits: Limits) -> Classifier:
    raise NotImplementedError
