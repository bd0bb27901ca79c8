"""Gives recorded judgments the meta-scores that they lack."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

from grm_plugin.classifiers import Classifier
from grm_plugin.pipeline.rating import shown_to_meta_rm
from grm_plugin.prompts import Template
from grm_plugin.spct.meta_kept import KeptLogits
from grm_plugin.spct.meta_rating import Told, rated
from grm_plugin.types import Judgment, Verdict


def rate_verdicts(
    verdicts: Sequence[Verdict],
    classifier: Classifier,
    template: Template,
    kept: KeptLogits,
    told: Told = lambda done: None,
) -> list[Verdict]:
    """``verdicts`` with a meta-score in every judgment that can be rated; those there stay.

    Args:
        verdicts: of any record.
        classifier: not started; closed in the end.
        template: what it was trained on.
        kept: logits of a run that was killed; gets those of this one.
        told: called with how many judgments are rated.

    Raises:
        EngineError: the classifier can not be started, or answers nothing at all.
    """
    missing = [[one for one in verdict.judgments if one.meta_score is None] for verdict in verdicts]
    texts = [
        shown_to_meta_rm(template, verdict.shown or verdict.group, found)
        for verdict, found in zip(verdicts, missing, strict=True)
    ]
    logits = iter(_logits(list(itertools.chain.from_iterable(texts)), classifier, kept, told))

    def with_score(judgment: Judgment) -> Judgment:
        if judgment.meta_score is not None:
            return judgment
        logit = next(logits)
        return judgment if math.isnan(logit) else replace(judgment, meta_score=logit)

    return [
        replace(verdict, judgments=tuple(map(with_score, verdict.judgments)))
        for verdict in verdicts
    ]


def _logits(
    texts: Sequence[str], classifier: Classifier, kept: KeptLogits, told: Told
) -> list[float]:
    missing = [text for text in texts if kept.of(text) is None]
    there = len(texts) - len(missing)
    if missing:
        rated(classifier, missing, lambda done: told(there + done), kept.keep)
    found = map(kept.of, texts)
    return [math.nan if logit is None else logit for logit in found]
