"""Rates judgments with a classifier, outside of a judge."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence

from grm_plugin.classifiers import Answer, Classifier, logit_of
from grm_plugin.errors import EngineError, TransportError

_AT_A_TIME = 256

Told = Callable[[int], None]
"""Called with how many texts are rated."""
Keep = Callable[[Sequence[str], Sequence[float]], None]
"""Called with texts and their logits as soon as they are rated."""


def rated(
    classifier: Classifier,
    texts: Sequence[str],
    told: Told = lambda done: None,
    keep: Keep = lambda texts, logits: None,
) -> list[float]:
    """The logit of each text, in order; NaN for one that alone can not be rated.

    Args:
        classifier: not started; closed in the end.
        texts: as :func:`grm_plugin.pipeline.rating.shown_to_meta_rm` makes them.
        told: told how far it is.
        keep: given what is rated, a part of the texts at a time.

    Raises:
        EngineError: the classifier can not be started, or answers nothing at all.
    """
    return asyncio.run(_rated(classifier, texts, told, keep))


async def _rated(
    classifier: Classifier, texts: Sequence[str], told: Told, keep: Keep
) -> list[float]:
    found: list[float] = []
    try:
        await classifier.start()
        for start in range(0, len(texts), _AT_A_TIME):
            asked = texts[start : start + _AT_A_TIME]
            answers = await classifier.logits(asked)
            found += map(_logit, answers)
            keep(asked, found[start:])
            if all(map(math.isnan, found)):
                raise TransportError(f"none of {len(found)} texts can be rated: {answers[0]}")
            told(len(found))
    finally:
        await classifier.close()
    return found


def _logit(answer: Answer) -> float:
    logit = logit_of(answer)
    return math.nan if isinstance(logit, EngineError) else logit
