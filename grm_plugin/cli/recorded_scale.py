"""The scale that judgments on record were made on: their template says it."""

from __future__ import annotations

from collections.abc import Iterable

from grm_plugin.errors import InputError
from grm_plugin.evaluation.resettling import template_on_record
from grm_plugin.plugins import installed
from grm_plugin.types import Scale, Verdict


def recorded_scale(verdict: Verdict) -> Scale | None:
    """The scale of the template that the judge was asked by; None where that is not known."""
    template = template_on_record(verdict.origin, installed())
    return template.scale if template else None


def check_scores(verdicts: Iterable[Verdict], scale: Scale) -> None:
    """Refuse scores that the scale does not have.

    Raises:
        InputError: names the first group with one.
    """
    low, high = scale
    for verdict in verdicts:
        scores = [score for one in verdict.judgments for score in one.scores if score is not None]
        if wrong := [score for score in scores if not low <= score <= high]:
            raise InputError(
                f"group {verdict.group.label}: expected scores of the judge's scale, {low:g} to "
                f"{high:g}, got {wrong[0]:g}; name its lowest and highest score with --scale"
            )
