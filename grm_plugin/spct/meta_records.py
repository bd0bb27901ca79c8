"""Gives recorded judgments the meta-scores that they lack."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from grm_plugin.classifiers import Classifier
from grm_plugin.pipeline.rating import shown_to_meta_rm
from grm_plugin.prompts import Template
from grm_plugin.spct.meta_rating import rated
from grm_plugin.types import Judgment, Verdict


def rate_verdicts(
    verdicts: Sequence[Verdict],
    classifier: Classifier,
    template: Template,
    told: Callable[[int], None] = lambda done: None,
) -> list[Verdict]:
    """``verdicts`` with a meta-score in every judgment that can be rated; those there stay.

    Args:
        verdicts: of any record.
        classifier: not started; closed in the end.
        template: what it was trained on.
        told: called with how many judgments are rated.

    Raises:
        EngineError: the classifier can not be started, or answers nothing at all.
    """
    missing = [[one for one in verdict.judgments if one.meta_score is None] for verdict in verdicts]
    texts = [
        shown_to_meta_rm(template, verdict.shown or verdict.group, found)
        for verdict, found in zip(verdicts, missing, strict=True)
    ]
    logits = iter(rated(classifier, list(itertools.chain.from_iterable(texts)), told))

    def with_score(judgment: Judgment) -> Judgment:
        if judgment.meta_score is not None:
            return judgment
        logit = next(logits)
        return judgment if math.isnan(logit) else replace(judgment, meta_score=logit)

    return [
        replace(verdict, judgments=tuple(map(with_score, verdict.judgments)))
        for verdict in verdicts
    ]
