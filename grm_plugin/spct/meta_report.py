"""What a meta RM knows, on groups that it was not trained on. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.evaluation.auc import AUC, auc, difference
from grm_plugin.evaluation.calibration import Calibration, calibration
from grm_plugin.spct.meta_data import MetaRow


@dataclass(frozen=True, slots=True)
class MetaReport:
    """Figures of a meta RM on held-out judgments.

    Args:
        judgments, groups, clusters: that were rated; intervals are over the clusters of the rows.
        right: share of right judgments, 0..1.
        label: AUC of the logits among all judgments. A trap alone: ties at the top are always
            wrong, so the margin has a high one.
        margin: the same of the margin alone.
        gain: ``label`` minus ``margin``, paired.
        same_margin: AUC of the logits among judgments of the same N and margin: what the meta RM
            knows that the scores do not say.
        in_group: AUC of the logits among judgments of one group, which is where it selects.
        in_group_same_margin: the same among judgments of one group and margin.
        calibration: of the sigmoid of the logits.
    """

    judgments: int
    groups: int
    clusters: int
    right: float
    label: AUC
    margin: AUC
    gain: AUC
    same_margin: AUC
    in_group: AUC
    in_group_same_margin: AUC
    calibration: Calibration


def meta_report(rows: Sequence[MetaRow], logits: Sequence[float]) -> MetaReport:
    """The figures of ``logits`` about ``rows``.

    Args:
        rows: held-out judgments, at least one; a logit that is NaN was not given and is left out.
        logits: one a row.
    """
    known = [(row, logit) for row, logit in zip(rows, logits, strict=True) if not math.isnan(logit)]
    rated, scores = [row for row, _ in known], [logit for _, logit in known]
    labels, clusters = [row.label for row in rated], [row.cluster for row in rated]

    def among(values: Sequence[float], strata: Sequence[object] | None = None) -> AUC:
        return auc(values, labels, strata=strata, clusters=clusters)

    label, margin = among(scores), among([row.margin for row in rated])
    return MetaReport(
        judgments=len(rated),
        groups=len({row.group for row in rated}),
        clusters=len(set(clusters)),
        right=sum(labels) / len(labels) if labels else math.nan,
        label=label,
        margin=margin,
        gain=difference(label, margin),
        same_margin=among(scores, [(row.responses, row.margin) for row in rated]),
        in_group=among(scores, [row.group for row in rated]),
        in_group_same_margin=among(scores, [(row.group, row.margin) for row in rated]),
        calibration=calibration(scores, labels),
    )
