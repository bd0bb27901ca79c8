"""Scores groups with a scalar RM on this machine, outside of a judge and as in use."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from grm_plugin.classifiers.transformers import TransformersClassifier
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError
from grm_plugin.pipeline.scalar_rating import ScalarRater
from grm_plugin.scalar import ScalarOptions
from grm_plugin.types import Group, Scalar

_AT_A_TIME = 64
_LIMIT_S = 3600.0

Told = Callable[[int], None]
"""Called with how many groups are scored."""


def scalar_scores(
    folder: Path, groups: Sequence[Group], template: Path | None, told: Told = lambda done: None
) -> list[list[float]]:
    """The logits of the responses of each group; NaN for one that can not be scored.

    Args:
        folder: of the scalar RM.
        groups: any.
        template: a file of what it reads; None: its chat template.
        told: told how far it is.

    Raises:
        EngineError: the scalar RM can not be started, or scores nothing at all.
    """
    classifier = TransformersClassifier({"model": str(folder)}, Limits())
    options = ScalarOptions(use="alone", template=str(template) if template else None)
    return asyncio.run(_scores(ScalarRater(options, classifier), groups, told))


async def _scores(rater: ScalarRater, groups: Sequence[Group], told: Told) -> list[list[float]]:
    found: list[Scalar] = []
    try:
        await rater.start()
        for start in range(0, len(groups), _AT_A_TIME):
            asked = groups[start : start + _AT_A_TIME]
            deadline = time.monotonic() + _LIMIT_S
            found += await asyncio.gather(*(rater.rated(group, deadline) for group in asked))
            told(len(found))
    finally:
        await rater.close()
    _check(found)
    return [[math.nan if one is None else one for one in scalar.scores] for scalar in found]


def _check(found: Sequence[Scalar]) -> None:
    """Refuse that nothing at all was scored."""
    failures = [why for scalar in found for why in scalar.failures.values()]
    if failures and all(score is None for scalar in found for score in scalar.scores):
        raise EngineError(f"none of {len(found)} groups can be scored: {failures[0]}")
